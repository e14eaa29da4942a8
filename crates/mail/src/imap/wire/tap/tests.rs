use super::*;
use std::net::{TcpListener, TcpStream};

#[test]
fn a_long_command_leaves_as_the_network_takes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut server = listener.accept().unwrap().0;
    let mut core = Core::new(Net::Plain(socket), Limits::default());
    core.set_blocking(false).unwrap();
    assert_eq!(core.pump(), Ok(false), "nothing was said");
    let command: Vec<u8> = (0..32 << 20).map(|at: u32| at.to_le_bytes()[at as usize % 4]).collect();
    core.queue(&command);
    assert_eq!(core.send(), Ok(false), "more than fits on the way");
    let reader = std::thread::spawn(move || {
        let mut came = vec![0; 32 << 20];
        server.read_exact(&mut came).unwrap();
        server.write_all(b"a1 OK done\r\n").unwrap();
        (came, server)
    });
    while !core.send().unwrap() {
        std::thread::yield_now();
    }
    let (came, server) = reader.join().unwrap();
    assert!(came == command, "each octet once");
    drop(server);
    core.set_blocking(true).unwrap();
    core.expect_tag(1);
    while !core.is_complete(1) {
        core.pump().unwrap();
    }
    assert_eq!(core.pump(), Err(Fault::CUT));
}
