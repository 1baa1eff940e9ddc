//! The order of a transfer: which steps of a plan may start, within what the budget allows.

use std::collections::VecDeque;

use crate::budget::Budget;
use crate::plan::Plan;

/// One step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The blob at this position.
    Blob(usize),
    /// The manifest at this position.
    Manifest(usize),
}

/// Which steps may start, and which are waiting for others.
pub(crate) struct Schedule {
    budget: Budget,
    /// Blobs not yet started: large ones from the front of one queue, small ones from the front of the other.
    large: VecDeque<usize>,
    small: VecDeque<usize>,
    /// Manifests whose blobs and children are all there.
    ready: VecDeque<usize>,
    /// For each manifest, how many steps it still waits for.
    waiting: Vec<usize>,
    /// For each blob, and for each manifest, the manifests that wait for it.
    above_blob: Vec<Vec<usize>>,
    above_manifest: Vec<Vec<usize>>,
}

impl Schedule {
    /// The schedule of a plan of which nothing has been done.
    pub(crate) fn new(plan: &Plan, budget: Budget) -> Self {
        let mut above_blob = vec![Vec::new(); plan.blobs.len()];
        let mut above_manifest = vec![Vec::new(); plan.manifests.len()];
        let mut waiting = Vec::with_capacity(plan.manifests.len());
        let mut ready = VecDeque::new();
        for (position, step) in plan.manifests.iter().enumerate() {
            step.blobs.iter().for_each(|&blob| above_blob[blob].push(position));
            step.children.iter().for_each(|&child| above_manifest[child].push(position));
            waiting.push(step.blobs.len() + step.children.len());
            if waiting[position] == 0 {
                ready.push_back(position);
            }
        }
        let size = |&position: &usize| plan.blobs[position].descriptor.size;
        let (mut large, small): (Vec<_>, Vec<_>) =
            (0..plan.blobs.len()).partition(|position| Budget::is_large(size(position)));
        large.sort_by_key(|position| std::cmp::Reverse(size(position)));
        let (large, small) = (large.into(), small.into());
        Self { budget, large, small, ready, waiting, above_blob, above_manifest }
    }

    /// A step that may start now, if there is one. Manifests first: they are small, and free others.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if !self.ready.is_empty() && self.budget.start_small() {
            return self.ready.pop_front().map(Step::Manifest);
        }
        if !self.large.is_empty() && self.budget.start_large() {
            return self.large.pop_front().map(Step::Blob);
        }
        if !self.small.is_empty() && self.budget.start_small() {
            return self.small.pop_front().map(Step::Blob);
        }
        None
    }

    /// Takes note that a step has been done.
    pub(crate) fn finished(&mut self, plan: &Plan, step: Step) {
        let above = match step {
            Step::Blob(position) => {
                self.budget.finish(plan.blobs[position].descriptor.size);
                std::mem::take(&mut self.above_blob[position])
            }
            Step::Manifest(position) => {
                self.budget.finish(0);
                std::mem::take(&mut self.above_manifest[position])
            }
        };
        for manifest in above {
            self.waiting[manifest] -= 1;
            if self.waiting[manifest] == 0 {
                self.ready.push_back(manifest);
            }
        }
    }
}
