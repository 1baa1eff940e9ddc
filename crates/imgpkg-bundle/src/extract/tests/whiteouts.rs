//! What layers delete.

use super::{Place, Tar};
use crate::Error;

#[test]
fn whiteouts_hide_what_is_below_them_and_only_that() {
    let place = Place::new();
    let lower = Tar::default().file("a", "low").file("d/x", "low").file("d/y/z", "low").file("e/f", "low");
    let upper = Tar::default().file("a", "up").file(".wh.a", "").file("d/.wh.x", "").file("d/.wh.y", "");
    let top = Tar::default().file(".wh.e", "").file(".wh.nothing", "").file("no/dir/.wh.x", "");
    place.extract([lower, upper, top]).unwrap();
    assert_eq!(place.found(), ["a=up", "d/"]);
}

#[test]
fn an_opaque_directory_hides_what_is_below_wherever_its_mark_stands() {
    let mark = "d/.wh..wh..opq";
    for mark_comes_first in [true, false] {
        let place = Place::new();
        let lower = Tar::default().file("d/low", "").file("d/sub/low", "").file("stays", "");
        let upper = Tar::default();
        let upper = if mark_comes_first { upper.file(mark, "") } else { upper };
        let upper = upper.file("d/sub/up", "up").file("d/new", "up");
        let upper = if mark_comes_first { upper } else { upper.file(mark, "") };
        place.extract([lower, upper]).unwrap();
        assert_eq!(place.found(), ["d/", "d/new=up", "d/sub/", "d/sub/up=up", "stays="]);
    }
}

#[test]
fn an_opaque_root_hides_all_lower_layers() {
    let place = Place::new();
    let lower = Tar::default().file("a", "").file("d/b", "");
    let upper = Tar::default().file("c", "up").file(".wh..wh..opq", "").file(".wh..wh.plnk", "");
    place.extract([lower, upper]).unwrap();
    assert_eq!(place.found(), ["c=up"]);
}

#[test]
fn whiteouts_in_the_lowest_layer_hide_nothing() {
    let place = Place::new();
    let layer = Tar::default().file("a", "1").file(".wh.a", "").file("d/b", "2").file("d/.wh..wh..opq", "");
    place.extract([layer]).unwrap();
    assert_eq!(place.found(), ["a=1", "d/", "d/b=2"]);
}

#[test]
fn a_whiteout_of_the_directory_above_is_refused() {
    for name in ["d/.wh...", "d/.wh..", ".wh."] {
        let place = Place::new();
        let error = place.extract([Tar::default(), Tar::default().file(name, "")]).unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{name}: {error}");
    }
}
