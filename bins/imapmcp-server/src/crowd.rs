//! Connections that wait for their client: for a head, a body or the next request. How many may do so is bounded for
//! each network and for all together, and who has waited longest goes first. So whoever comes new is always heard.

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Shutdown, TcpStream},
    os::fd::AsFd as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Connections of one network that may wait at once.
const PER_NETWORK: usize = 128;
/// A head has 15 seconds, a body 30: what waits longer holds out against both.
const LONGEST: Duration = Duration::from_mins(1);

/// How many may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From one network.
    pub(crate) per_network: usize,
    /// Open connections, waiting or not: from here on who waits makes room.
    pub(crate) all: usize,
}

/// Connections that a process that may have so many descriptors accepts at all: a quarter stays for mail servers and the
/// database, and a connection takes two while it waits. Where descriptors run out, nobody is let in for half a second.
pub(crate) fn most_accepted(descriptors: u64) -> usize {
    usize::try_from(descriptors / 8 * 3).unwrap_or(usize::MAX).clamp(32, 50_000)
}

impl Bounds {
    /// Of so many that are accepted. Those that were told to go need a moment, so room is made before.
    pub(crate) fn within(accepted: usize) -> Self {
        let all = accepted - accepted / 4;
        Self { per_network: PER_NETWORK.min(all / 2), all }
    }
}

/// Every open connection.
pub(crate) struct Crowd {
    bounds: Bounds,
    /// Which network an address counts for; `None` for proxies of ours, who speak for many. So is whoever was let in.
    network: Box<dyn Fn(IpAddr) -> Option<IpAddr> + Send + Sync>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    open: HashMap<u64, Connection>,
    /// By network, in the order of who has waited longest.
    waiting: HashMap<Option<IpAddr>, BTreeMap<u64, u64>>,
}

struct Connection {
    network: Option<IpAddr>,
    /// A second handle on the socket, to close it with.
    socket: Option<TcpStream>,
    /// Its place in the order and since when, while it waits.
    waiting: Option<(u64, Instant)>,
}

/// A connection's place in the crowd; leaves it when dropped.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    id: u64,
}

/// While it lives, the connection is being worked for and may not be closed.
pub(crate) struct Served(Arc<Place>);

impl Crowd {
    pub(crate) fn new(
        bounds: Bounds,
        network: impl Fn(IpAddr) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self { bounds, network: Box::new(network), inner: Mutex::default() }
    }

    /// Takes in a connection that was just accepted; `None` for what is no TCP connection.
    pub(crate) fn enter(self: &Arc<Self>, connection: &dyn Any) -> Option<Arc<Place>> {
        let stream = connection.downcast_ref::<actix_web::rt::net::TcpStream>()?;
        let network = stream.peer_addr().ok().and_then(|peer| (self.network)(peer.ip()));
        let socket = stream.as_fd().try_clone_to_owned().ok().map(TcpStream::from);
        Some(Arc::new(Place { id: self.admit(network, socket, Instant::now()), crowd: Arc::clone(self) }))
    }

    fn admit(&self, network: Option<IpAddr>, socket: Option<TcpStream>, now: Instant) -> u64 {
        let mut inner = self.inner();
        let id = inner.turn();
        inner.open.insert(id, Connection { network, socket, waiting: None });
        // others make room, not the one that comes
        inner.make_room(self.bounds.all);
        inner.wait(id, now);
        if network.is_some() && inner.waiting_of(network) > self.bounds.per_network {
            inner.close_longest(network);
        }
        id
    }

    /// Closes what has waited longer than any deadline allows; call it now and then.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut inner = self.inner();
        let late: Vec<_> = inner
            .open
            .iter()
            .filter(|(_, connection)| {
                connection.waiting.is_some_and(|(_, since)| now.saturating_duration_since(since) > LONGEST)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            inner.close(id);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn waiting_of(&self, network: Option<IpAddr>) -> usize {
        self.waiting.get(&network).map_or(0, BTreeMap::len)
    }

    fn wait(&mut self, id: u64, now: Instant) {
        let turn = self.turn();
        let Some(connection) = self.open.get_mut(&id) else { return };
        connection.waiting = Some((turn, now));
        self.waiting.entry(connection.network).or_default().insert(turn, id);
    }

    fn wait_no_more(&mut self, id: u64) {
        let Some(connection) = self.open.get_mut(&id) else { return };
        let Some((turn, _)) = connection.waiting.take() else { return };
        if let Some(waiting) = self.waiting.get_mut(&connection.network) {
            waiting.remove(&turn);
            if waiting.is_empty() {
                self.waiting.remove(&connection.network);
            }
        }
    }

    /// Closes one that waits where more than `all` are open: of the network that has most of them.
    fn make_room(&mut self, all: usize) {
        if self.open.len() <= all {
            return;
        }
        // those who were let in before give way last
        let most = self.waiting.iter().max_by_key(|(network, waiting)| (network.is_some(), waiting.len()));
        if let Some(most) = most.map(|(network, _)| *network) {
            self.close_longest(most);
        }
    }

    fn close_longest(&mut self, network: Option<IpAddr>) {
        let longest = self.waiting.get(&network).and_then(|waiting| waiting.first_key_value());
        if let Some(id) = longest.map(|(_, id)| *id) {
            self.close(id);
        }
    }

    /// The worker that reads from it sees its end, and drops its place.
    fn close(&mut self, id: u64) {
        self.wait_no_more(id);
        if let Some(socket) = self.open.remove(&id).and_then(|connection| connection.socket) {
            // it may have gone already
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Place {
    /// The request is here: the connection is worked for.
    pub(crate) fn serve(self: &Arc<Self>) -> Served {
        self.crowd.inner().wait_no_more(self.id);
        Served(Arc::clone(self))
    }
}

impl Served {
    /// It is somebody's who was let in: while it is kept for the next request it is no stranger's.
    pub(crate) fn trust(&self) {
        if let Some(connection) = self.0.crowd.inner().open.get_mut(&self.0.id) {
            connection.network = None;
        }
    }

    /// What is streamed goes to somebody who was let in: the connection gives its second descriptor back.
    pub(crate) fn stream(&self) {
        if let Some(connection) = self.0.crowd.inner().open.get_mut(&self.0.id) {
            connection.socket = None;
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let crowd = &self.0.crowd;
        let mut inner = crowd.inner();
        inner.wait(self.0.id, Instant::now());
        // while all were served, nobody could make room for those who come
        inner.make_room(crowd.bounds.all);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.crowd.inner();
        inner.wait_no_more(self.id);
        inner.open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read as _, net::TcpListener};

    /// A connection of a network, as the client sees it, and its number.
    fn come(crowd: &Crowd, listener: &TcpListener, network: &str, now: Instant) -> (TcpStream, u64) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let (served, _) = listener.accept().unwrap();
        (client, crowd.admit(network.parse().ok(), Some(served), now))
    }

    fn closed(client: &mut TcpStream) -> bool {
        matches!(client.read(&mut [0]), Ok(0))
    }

    #[test]
    fn who_has_waited_longest_makes_room_in_its_own_network() {
        let crowd = Crowd::new(Bounds { per_network: 3, all: 100 }, Some);
        let (listener, now) = (TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
        let mut other = come(&crowd, &listener, "192.0.2.9", now).0;
        let mut crowded: Vec<_> = (0..5).map(|_| come(&crowd, &listener, "192.0.2.1", now).0).collect();
        let ends: Vec<_> = crowded.iter_mut().map(closed).collect();
        assert_eq!(ends, [true, true, false, false, false]);
        assert!(!closed(&mut other));
    }

    #[test]
    fn who_is_served_does_not_count_and_stays() {
        let crowd = Arc::new(Crowd::new(Bounds { per_network: 2, all: 100 }, Some));
        let (listener, now) = (TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
        let (mut first, id) = come(&crowd, &listener, "192.0.2.1", now);
        let place = Arc::new(Place { crowd: Arc::clone(&crowd), id });
        let served = place.serve();
        let mut others: Vec<_> = (0..3).map(|_| come(&crowd, &listener, "192.0.2.1", now).0).collect();
        assert!(!closed(&mut first));
        assert_eq!(others.iter_mut().map(closed).collect::<Vec<_>>(), [true, false, false]);
        drop(served);
        let mut last: Vec<_> = (0..2).map(|_| come(&crowd, &listener, "192.0.2.1", now).0).collect();
        assert_eq!(others.iter_mut().map(closed).collect::<Vec<_>>(), [true, true, true]);
        assert!(!closed(&mut first), "it waits since its answer, not since it came");
        assert!(!closed(&mut last[0]) && !closed(&mut last[1]));
    }

    #[test]
    fn who_was_let_in_may_keep_connections() {
        let crowd = Arc::new(Crowd::new(Bounds { per_network: 2, all: 6 }, Some));
        let (listener, now) = (TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
        let (mut kept, mut places) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let (client, id) = come(&crowd, &listener, "192.0.2.1", now);
            let place = Arc::new(Place { crowd: Arc::clone(&crowd), id });
            place.serve().trust();
            kept.push(client);
            places.push(place);
        }
        let mut strangers: Vec<_> = (0..3).map(|_| come(&crowd, &listener, "192.0.2.1", now).0).collect();
        assert!(kept.iter_mut().all(|kept| !closed(kept)));
        assert_eq!(
            strangers.iter_mut().map(closed).collect::<Vec<_>>(),
            [true, false, false],
            "and two of others"
        );
    }

    #[test]
    fn when_all_are_too_many_the_most_crowded_network_gives_way() {
        let crowd = Crowd::new(Bounds { per_network: 10, all: 5 }, |address| {
            (address != "10.0.0.1".parse::<IpAddr>().unwrap()).then_some(address)
        });
        let (listener, now) = (TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
        let mut attacker: Vec<_> = (0..4).map(|_| come(&crowd, &listener, "192.0.2.1", now).0).collect();
        let mut guests: Vec<_> =
            ["192.0.2.2", "192.0.2.3"].map(|from| come(&crowd, &listener, from, now).0).into();
        assert_eq!(attacker.iter_mut().map(closed).collect::<Vec<_>>(), [true, false, false, false]);
        assert!(guests.iter_mut().all(|guest| !closed(guest)));
    }

    #[test]
    fn who_was_served_while_all_were_makes_room_afterwards() {
        let crowd = Arc::new(Crowd::new(Bounds { per_network: 10, all: 2 }, Some));
        let (listener, now) = (TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
        let (mut clients, mut served) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (client, id) = come(&crowd, &listener, "192.0.2.1", now);
            clients.push(client);
            served.push(Arc::new(Place { crowd: Arc::clone(&crowd), id }).serve());
        }
        let places: Vec<_> = served.iter().map(|served| Arc::clone(&served.0)).collect();
        assert!(!clients.iter_mut().any(closed));
        drop(served);
        let ends = clients.iter_mut().map(closed).filter(|closed| *closed).count();
        assert_eq!((ends, places.len()), (1, 3));
    }

    #[test]
    fn nobody_outlasts_the_deadlines() {
        let crowd = Crowd::new(Bounds { per_network: 10, all: 10 }, Some);
        let (listener, now) = (TcpListener::bind("127.0.0.1:0").unwrap(), Instant::now());
        let mut old = come(&crowd, &listener, "192.0.2.1", now).0;
        let mut new = come(&crowd, &listener, "192.0.2.1", now + Duration::from_secs(30)).0;
        crowd.sweep(now + Duration::from_secs(61));
        assert!(closed(&mut old) && !closed(&mut new));
    }

    #[test]
    fn bounds_follow_the_descriptors() {
        let bounds = |descriptors| {
            let accepted = most_accepted(descriptors);
            let Bounds { per_network, all } = Bounds::within(accepted);
            (per_network, all, accepted)
        };
        assert_eq!(bounds(1024), (128, 288, 384));
        assert_eq!(bounds(256), (36, 72, 96));
        assert_eq!(bounds(u64::MAX), (128, 37_500, 50_000));
    }
}
