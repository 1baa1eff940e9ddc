use super::*;

const MIB: u64 = 1 << 20;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn digest(name: &str) -> Digest {
    Digest::sha256_of(name.as_bytes())
}

fn planned(blobs: usize, bytes: u64) -> Event {
    Event::Planned { blobs, bytes, manifests: 2, present: 0 }
}

fn started(name: &str, size: u64) -> Event {
    Event::BlobStarted { digest: digest(name), size }
}

fn advanced(name: &str, bytes: u64) -> Event {
    Event::BlobAdvanced { digest: digest(name), bytes }
}

fn done(name: &str, size: u64, put: BlobPut) -> Event {
    Event::BlobDone { digest: digest(name), size, put, elapsed: Duration::ZERO }
}

fn share(done: u64, all: u64) -> Share {
    Share { done, all }
}

#[test]
fn bytes_of_blobs_on_their_way_count_and_give_rate_and_remaining_time() {
    let mut tally = Tally::default();
    tally.note(&planned(2, 100 * MIB), seconds(1));
    tally.note(&started("a", 60 * MIB), seconds(1));
    tally.note(&advanced("a", 20 * MIB), seconds(10));
    let standing = tally.standing(seconds(11));
    assert_eq!((standing.blobs, standing.bytes), (share(0, 2), share(20 * MIB, 100 * MIB)));
    assert_eq!((standing.rate, standing.left), (Some(2 * MIB), Some(seconds(40))));
    assert_eq!(standing.manifests, share(0, 2));
}

#[test]
fn there_is_no_rate_before_a_second_has_passed_or_while_nothing_moves() {
    let mut tally = Tally::default();
    tally.note(&planned(1, MIB), seconds(3));
    tally.note(&started("a", MIB), seconds(3));
    tally.note(&advanced("a", 1000), seconds(3));
    assert_eq!(tally.standing(Duration::from_millis(3_900)).rate, None);
    assert_eq!(tally.standing(seconds(4)).rate, Some(1000));
    let mut idle = Tally::default();
    idle.note(&planned(1, MIB), seconds(0));
    let standing = idle.standing(seconds(20));
    assert_eq!((standing.rate, standing.left), (None, None));
}

#[test]
fn the_rate_forgets_what_was_long_ago() {
    let mut tally = Tally::default();
    tally.note(&planned(1, 1000 * MIB), seconds(0));
    tally.note(&started("a", 1000 * MIB), seconds(0));
    tally.note(&advanced("a", 900 * MIB), seconds(10));
    for at in [10, 20, 30, 40] {
        tally.standing(seconds(at));
    }
    tally.note(&advanced("a", 3 * MIB), seconds(45));
    assert_eq!(tally.standing(seconds(50)).rate, Some(MIB / 10), "3 MiB in the 30 s from 20 on");
}

#[test]
fn blobs_that_need_no_transfer_count_as_done_and_not_as_traffic() {
    let mut tally = Tally::default();
    tally.note(&planned(3, 30), seconds(0));
    for (name, put) in [("a", BlobPut::Present), ("b", BlobPut::Mounted)] {
        tally.note(&started(name, 10), seconds(1));
        tally.note(&done(name, 10, put), seconds(1));
    }
    let standing = tally.standing(seconds(10));
    assert_eq!((standing.blobs, standing.bytes, standing.rate), (share(2, 3), share(20, 30), None));
    assert_eq!(tally.ways(), Ways { moved: 0, mounted: 1, skipped: 1 });
}

#[test]
fn a_blob_that_is_read_twice_never_exceeds_its_size() {
    let mut tally = Tally::default();
    tally.note(&planned(1, 10), seconds(0));
    tally.note(&started("a", 10), seconds(0));
    tally.note(&advanced("a", 8), seconds(0));
    tally.note(&advanced("a", 8), seconds(0));
    assert_eq!(tally.standing(seconds(0)).bytes, share(10, 10));
    tally.note(&done("a", 10, BlobPut::Sent), seconds(0));
    // The destination lost it, and got it again.
    tally.note(&started("a", 10), seconds(0));
    tally.note(&advanced("a", 10), seconds(0));
    tally.note(&done("a", 10, BlobPut::Sent), seconds(0));
    let standing = tally.standing(seconds(0));
    assert_eq!((standing.blobs, standing.bytes), (share(1, 1), share(10, 10)));
    assert_eq!(tally.traffic(), 26);
}

#[test]
fn without_a_plan_there_is_as_much_to_do_as_was_begun() {
    let mut tally = Tally::default();
    tally.note(&started("a", 10), seconds(0));
    tally.note(&done("a", 10, BlobPut::Sent), seconds(1));
    tally.note(&started("b", 30), seconds(1));
    let standing = tally.standing(seconds(2));
    assert_eq!((standing.blobs, standing.bytes), (share(1, 2), share(10, 40)));
}

#[test]
fn waits_at_the_same_time_count_once_and_only_as_far_as_they_have_passed() {
    let mut tally = Tally::default();
    tally.waiting("one.example", seconds(10), seconds(0));
    tally.waiting("two.example", seconds(10), seconds(5));
    tally.waiting("one.example", seconds(2), seconds(6));
    assert_eq!(tally.waited(seconds(8)), seconds(8));
    assert_eq!(tally.standing(seconds(8)).waiting_for.as_deref(), Some("two.example"));
    assert_eq!(tally.waited(seconds(100)), seconds(15));
    tally.waiting("one.example", seconds(5), seconds(100));
    assert_eq!(tally.waited(seconds(200)), seconds(20));
    assert_eq!(tally.standing(seconds(200)).waiting_for, None);
}
