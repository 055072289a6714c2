//! Which items have a card when there are too many outputs.

use super::data::{Run, Status};
use super::index::{Index, Subject};

/// Which subjects to show when there are too many outputs, in the suite's order.
pub(super) fn sample(
    subjects: &[Subject<'_>],
    indices: &[Index<'_>],
    heads: &[Run],
    cap: usize,
) -> Vec<usize> {
    let size = |subject: &Subject<'_>| -> usize {
        let repeats = |run: &usize| indices[*run].repeats(&subject.item.item).len();
        subject.runs.iter().map(repeats).sum::<usize>().max(1)
    };
    let passed = |subject: &Subject<'_>| {
        subject.runs.iter().all(|run| {
            let item = subject.item.item.as_str();
            let index = &indices[*run];
            index
                .repeats(item)
                .iter()
                .all(|repeat| index.status((item, *repeat), heads[*run].full) == Status::Passed)
        })
    };
    let (good, bad): (Vec<usize>, Vec<usize>) =
        (0..subjects.len()).partition(|place| passed(&subjects[*place]));
    let sizes = |places: &[usize]| -> usize { places.iter().map(|p| size(&subjects[*p])).sum() };
    let fitting = |places: &mut dyn Iterator<Item = usize>, room: usize| -> Vec<usize> {
        let mut left = room;
        places
            .filter(|place| {
                let fits = size(&subjects[*place]) <= left;
                left -= if fits { size(&subjects[*place]) } else { 0 };
                fits
            })
            .collect()
    };
    let mut chosen = fitting(&mut bad.into_iter(), cap);
    let room = cap - sizes(&chosen);
    let step = sizes(&good).div_ceil(room.max(1)).max(1);
    chosen.extend(fitting(&mut good.into_iter().step_by(step), room));
    chosen.sort_unstable();
    chosen
}
