//! How much is under way at once. Each host has its own budget of requests, in the registry client; this one bounds the
//! whole run, so that memory stays flat however many blobs there are, and so that a few large blobs never keep the many
//! small ones waiting.

/// Blobs of this size and more are large: moving one takes longer than a round trip, so a few at a time fill the link.
const LARGE_BYTES: u64 = 4 * 1024 * 1024;

/// The most large blobs under way at once.
const LARGE_AT_ONCE: usize = 8;

/// The most small blobs and manifests under way at once.
const SMALL_AT_ONCE: usize = 64;

/// The steps that may run, and those that do.
#[derive(Debug, Clone)]
pub struct Budget {
    cap: usize,
    large: usize,
    small: usize,
}

impl Budget {
    /// A budget; `cap`, where given, is the most steps of all kinds at once.
    pub fn new(cap: Option<usize>) -> Self {
        Self { cap: cap.unwrap_or(usize::MAX).max(1), large: 0, small: 0 }
    }

    /// Is a blob of this size a large one?
    pub fn is_large(bytes: u64) -> bool {
        bytes >= LARGE_BYTES
    }

    /// Takes a place for a large blob, if there is one.
    pub fn start_large(&mut self) -> bool {
        let free = self.large < LARGE_AT_ONCE && self.large + self.small < self.cap;
        self.large += usize::from(free);
        free
    }

    /// Takes a place for a small blob or a manifest, if there is one.
    pub fn start_small(&mut self) -> bool {
        let free = self.small < SMALL_AT_ONCE && self.large + self.small < self.cap;
        self.small += usize::from(free);
        free
    }

    /// Gives the place of a blob of this size (0 for a manifest) back.
    pub fn finish(&mut self, bytes: u64) {
        let place = if Self::is_large(bytes) { &mut self.large } else { &mut self.small };
        *place = place.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blobs_leave_places_for_small_ones() {
        let mut budget = Budget::new(None);
        while budget.start_large() {}
        assert!(budget.start_small());
        assert_eq!(budget.large, LARGE_AT_ONCE);
    }

    #[test]
    fn the_cap_bounds_both_kinds_together() {
        let mut budget = Budget::new(Some(2));
        assert!(budget.start_large() && budget.start_small());
        assert!(!budget.start_large() && !budget.start_small());
        budget.finish(LARGE_BYTES);
        assert!(budget.start_small());
    }

    #[test]
    fn a_cap_of_nothing_still_lets_one_run() {
        assert!(Budget::new(Some(0)).start_small());
    }
}
