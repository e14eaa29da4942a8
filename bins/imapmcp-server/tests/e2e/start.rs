//! A start that cannot be right is refused, and writes nothing.

use crate::world::World;
use std::{fs, process::Stdio};

fn refused(world: &World, settings: &[(&str, &str)]) -> (i32, String) {
    let output = world.server_program().envs(settings.iter().copied()).stdin(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_wrong_or_missing_key_file_is_refused_and_nothing_is_written() {
    let mut world = World::new(&[]);
    world.start();
    assert_eq!(world.terminate(), Some(0));
    let keys = world.data().join("keys");
    let good = fs::read(&keys).unwrap();
    let database = || fs::read(world.data().join("imapmcp.db")).unwrap();
    let other = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    // whoever opens the database next moves what the last one left in its log into the file: that is no new writing
    assert_eq!(refused(&world, &[("IMAPMCP_KEYS", other)]).0, 78);
    let before = database();

    fs::remove_file(&keys).unwrap();
    let (code, message) = refused(&world, &[]);
    assert_eq!(code, 78);
    assert!(message.contains("key file"), "{message}");
    assert!(!keys.exists(), "no new key is made over old data");

    let (code, message) = refused(&world, &[("IMAPMCP_KEYS", other)]);
    assert_eq!(code, 78, "{message}");

    fs::write(&keys, &good).unwrap();
    let (code, message) = refused(&world, &[]);
    assert_eq!(code, 78, "a key file that others may read: {message}");
    assert!(message.contains("chmod 600"), "{message}");
    assert!(database() == before, "the database was written");
}

#[test]
fn a_key_that_is_not_random_is_refused_at_the_first_start() {
    let world = World::empty(&[]);
    for key in
        ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "//////////////////////////////////////////8="]
    {
        let (code, message) = refused(&world, &[("IMAPMCP_KEYS", &format!("k1:{key}"))]);
        assert_eq!(code, 78, "{message}");
        assert!(message.contains("not random") && !message.contains(key), "{message}");
    }
}

#[test]
fn the_server_lets_nobody_look_into_it() {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    const NOBODY: u32 = 65_534;
    let world = World::new(&[]);
    let directory = world.directory.path();
    let mut program = world.server_program();
    // root may look everywhere: the test needs a server of somebody else
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        let given =
            std::process::Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(directory).status();
        assert!(given.unwrap().success());
        program.uid(NOBODY);
    }
    let mut server =
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = std::time::Instant::now();
    let owner = || fs::metadata(format!("/proc/{}/environ", server.id())).unwrap().uid();
    while owner() != 0 {
        assert!(started.elapsed().as_secs() < 10, "its environment is anybody's");
        std::thread::yield_now();
    }
    assert!(server.try_wait().unwrap().is_none());
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let world = World::new(&[]);
    // root may write anywhere, so the directory is one that nobody can make
    let (code, message) = refused(&world, &[("IMAPMCP_DATA_DIR", "/proc/nowhere/data")]);
    assert_eq!(code, 73, "{message}");
    assert!(message.contains("/proc/nowhere/data"), "{message}");
}

#[test]
fn a_port_in_use_is_named() {
    let mut world = World::new(&[]);
    world.start();
    let (code, message) = refused(&world, &[]);
    assert_eq!(code, 69, "{message}");
    assert!(message.contains("cannot listen on"), "{message}");
}

#[test]
fn an_unknown_setting_names_the_nearest() {
    let world = World::new(&[]);
    let (code, message) = refused(&world, &[("IMAPMCP_PUBLIC_ULR", "x")]);
    assert_eq!(code, 78);
    assert!(message.contains("IMAPMCP_PUBLIC_URL"), "{message}");
    let (code, message) = refused(&world, &[("IMAPMCP_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x")]);
    assert_eq!(code, 75, "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}
