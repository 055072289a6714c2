//! Evidence that is kept: the least recently used goes first.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A bounded map.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    most: usize,
    clock: u64,
    values: HashMap<K, (V, u64)>,
    /// Keys by the time of their last use.
    uses: BTreeMap<u64, K>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty map of at most so many values.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            clock: 0,
            values: HashMap::new(),
            uses: BTreeMap::new(),
        }
    }

    /// The value of a key, which counts as used now.
    pub(super) fn get(&mut self, key: K) -> Option<V> {
        self.clock += 1;
        let (value, used) = self.values.get_mut(&key)?;
        self.uses.remove(used);
        *used = self.clock;
        self.uses.insert(self.clock, key);
        Some(value.clone())
    }

    /// Keeps a value, and forgets the one that was used longest ago where there are too many.
    pub(super) fn put(&mut self, key: K, value: V) {
        if self.most == 0 {
            return;
        }
        self.clock += 1;
        if let Some((_, used)) = self.values.insert(key, (value, self.clock)) {
            self.uses.remove(&used);
        }
        self.uses.insert(self.clock, key);
        if self.values.len() > self.most
            && let Some((_, oldest)) = self.uses.pop_first()
        {
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_is_forgotten() {
        let mut cache = Cache::new(2);
        cache.put(1, "one");
        cache.put(2, "two");
        assert_eq!(cache.get(1), Some("one"));
        cache.put(3, "three");
        assert_eq!(cache.get(2), None);
        assert_eq!((cache.get(1), cache.get(3)), (Some("one"), Some("three")));
        cache.put(1, "uno");
        cache.put(4, "four");
        assert_eq!((cache.get(1), cache.get(3)), (Some("uno"), None));
        assert_eq!((cache.values.len(), cache.uses.len()), (2, 2));
    }

    #[test]
    fn a_map_without_room_keeps_nothing() {
        let mut cache = Cache::new(0);
        cache.put(1, 1);
        assert_eq!(cache.get(1), None);
    }
}
