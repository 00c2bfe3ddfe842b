//! An ordered map whose copy costs nothing: a B+ tree of shared nodes.
//!
//! ```text
//! inner   keys      [ k0  k1  k2 ]       k(i) <= every key below child i,
//!         children  [ c0  c1  c2 ]       and above every key below child i-1
//! leaf    keys      [ a  b  c ... ]      up to FANOUT, ascending
//!         values    [ A  B  C ... ]
//! ```
//!
//! A stream's directory of nodes, its groups and their pending entries are such
//! maps. A clone is one reference count more; who changes the map afterwards
//! copies the few nodes between the root and the place it changes
//! (`Arc::make_mut`), so a reader works on an image for as long as it likes while
//! writers go on.
//!
//! Keys arrive mostly in ascending order, as the ids of a stream do: a full node
//! that grows at the end of the map is not halved but followed by a new one, so
//! that the nodes left behind are full.
//!
//! What must stay true: all leaves are equally deep; no node is empty; an inner
//! node's first key is not looked at, so that a key below it needs no change
//! above; a node that a removal has left with less than a quarter joins a
//! neighbour where both together fill three quarters at most. (A cut leaves nodes
//! along its edge as they come; later removals join them.)

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::ops::Bound;
use std::sync::Arc;

/// Keys of a leaf and children of an inner node: few enough that copying a node is
/// quick, many enough that a million keys are four levels.
const FANOUT: usize = 64;
/// A node with fewer than this looks for a neighbour to join.
const SPARSE: usize = FANOUT / 4;
/// Neighbours join if they are not more than this together.
const JOINED_MAX: usize = FANOUT * 3 / 4;

#[derive(Clone, Debug)]
struct Leaf<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

#[derive(Clone, Debug)]
struct Inner<K, V> {
    keys: Vec<K>,
    children: Vec<Arc<Node<K, V>>>,
}

#[derive(Clone, Debug)]
enum Node<K, V> {
    Leaf(Leaf<K, V>),
    Inner(Inner<K, V>),
}

/// A map in the order of its keys.
#[derive(Clone, Debug)]
pub struct OrdMap<K, V> {
    root: Option<Arc<Node<K, V>>>,
    len: usize,
}

impl<K, V> Default for OrdMap<K, V> {
    fn default() -> Self {
        OrdMap { root: None, len: 0 }
    }
}

/// The right part of a node that was split, and the bound below it.
type Split<K, V> = Option<(K, Arc<Node<K, V>>)>;

impl<K, V> OrdMap<K, V> {
    /// Number of pairs. O(1).
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no pair. O(1).
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `image` is a copy of this map, or this one of it, and neither has changed
    /// since. O(1).
    pub fn is_as(&self, image: &OrdMap<K, V>) -> bool {
        match (&self.root, &image.root) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// Heap memory of the map itself, without what keys and values own, as it is
    /// with full nodes. O(1).
    pub fn mem_bytes(&self) -> usize {
        self.len * (size_of::<K>() + size_of::<V>() + size_of::<K>() / FANOUT)
    }

    /// The pair with the least key. O(log n).
    pub fn first(&self) -> Option<(&K, &V)> {
        let leaf = self.root.as_deref()?.first_leaf();
        Some((leaf.keys.first()?, leaf.values.first()?))
    }

    /// The pair with the greatest key. O(log n).
    pub fn last(&self) -> Option<(&K, &V)> {
        let leaf = self.root.as_deref()?.last_leaf();
        Some((leaf.keys.last()?, leaf.values.last()?))
    }

    /// All pairs, ascending.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let place = (self.root.as_deref()).map(|root| (root.first_leaf(), 0));
        Iter { map: self, place }
    }
}

impl<K: Ord + Clone, V: Clone> OrdMap<K, V> {
    /// The value of `key`. O(log n).
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let leaf = self.root.as_deref()?.leaf_of(key);
        let at = leaf.find(key).ok()?;
        Some(&leaf.values[at])
    }

    /// Whether there is a value for `key`. O(log n).
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The value of `key` for change. O(log n).
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let mut node = Arc::make_mut(self.root.as_mut()?);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let at = leaf.find(key).ok()?;
                    return Some(&mut leaf.values[at]);
                }
                Node::Inner(inner) => {
                    let at = inner.child_of(key);
                    node = Arc::make_mut(&mut inner.children[at]);
                }
            }
        }
    }

    /// The pair with the greatest key, its value for change. O(log n).
    pub fn last_mut(&mut self) -> Option<(&K, &mut V)> {
        let mut node = Arc::make_mut(self.root.as_mut()?);
        loop {
            match node {
                Node::Leaf(leaf) => return Some((leaf.keys.last()?, leaf.values.last_mut()?)),
                Node::Inner(inner) => node = Arc::make_mut(inner.children.last_mut()?),
            }
        }
    }

    /// Sets the value of `key`; the old one. O(log n).
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(root) = &mut self.root else {
            self.root = Some(Arc::new(Node::Leaf(Leaf::of(key, value))));
            self.len = 1;
            return None;
        };
        let (old, split) = insert(root, key, value);
        if let Some((bound, right)) = split {
            let left = Arc::clone(root);
            // The first key of an inner node is not looked at: any will do.
            let keys = vec![bound.clone(), bound];
            let children = vec![left, right];
            self.root = Some(Arc::new(Node::Inner(Inner { keys, children })));
        }
        self.len += usize::from(old.is_none());
        old
    }

    /// Removes `key`; its value. O(log n).
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        // Nothing is copied for a key that is not there.
        if !self.contains(key) {
            return None;
        }
        let root = self.root.as_mut()?;
        let old = remove(root, key)?;
        self.len -= 1;
        self.root = match &**root {
            _ if self.len == 0 => None,
            Node::Inner(inner) if inner.children.len() == 1 => Some(Arc::clone(&inner.children[0])),
            _ => return Some(old),
        };
        Some(old)
    }

    /// Removes the pair with the least key. O(log n).
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        let key = self.first()?.0.clone();
        let value = self.remove(&key)?;
        Some((key, value))
    }

    /// Takes out the pairs whose keys are below `key`, as a map of their own. The caller
    /// knows that they are `count`. O(log n).
    pub fn cut_front<Q: Ord + ?Sized>(&mut self, key: &Q, count: usize) -> OrdMap<K, V>
    where
        K: Borrow<Q>,
    {
        let Some(root) = self.root.take() else {
            return OrdMap::default();
        };
        let (front, rest) = cut_node(root, key);
        let len = self.len - count;
        *self = OrdMap::below(rest, len);
        OrdMap::below(front, count)
    }

    /// A map of what is below a node, without roots that have a single child.
    fn below(mut root: Option<Arc<Node<K, V>>>, len: usize) -> OrdMap<K, V> {
        while let Some(Node::Inner(inner)) = root.as_deref()
            && let [only] = &inner.children[..]
        {
            root = Some(Arc::clone(only));
        }
        debug_assert_eq!(root.is_none(), len == 0);
        OrdMap { root, len }
    }

    /// The pairs from `bound` on, ascending. O(log n) to begin with.
    pub fn range_from<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let place = self.root.as_deref().and_then(|root| root.seek(bound));
        Iter { map: self, place }
    }

    /// The pairs from the last one whose key is not above `key` on, ascending; all
    /// if there is none. O(log n) to begin with.
    pub fn range_from_floor<Q: Ord + ?Sized>(&self, key: &Q) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let floor = (self.root.as_deref()).and_then(|root| root.seek_back(Bound::Included(key)));
        match floor {
            Some((leaf, at)) => Iter {
                map: self,
                place: Some((leaf, at)),
            },
            None => self.iter(),
        }
    }

    /// The pairs up to `bound`, descending. O(log n) to begin with.
    pub fn range_back<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> IterBack<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let place = self.root.as_deref().and_then(|root| root.seek_back(bound));
        IterBack { map: self, place }
    }

    /// The last pair whose key is not above `key`. O(log n).
    pub fn floor<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (leaf, at) = self.root.as_deref()?.seek_back(Bound::Included(key))?;
        Some((&leaf.keys[at], &leaf.values[at]))
    }
}

impl<K, V> Leaf<K, V> {
    fn of(key: K, value: V) -> Leaf<K, V> {
        Leaf {
            keys: vec![key],
            values: vec![value],
        }
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.keys.binary_search_by(|probe| probe.borrow().cmp(key))
    }

    /// How many keys stand before the place that `bound` starts a walk at.
    fn place_from<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> usize
    where
        K: Borrow<Q>,
    {
        match bound {
            Bound::Unbounded => 0,
            Bound::Included(key) => self.keys.partition_point(|probe| probe.borrow() < key),
            Bound::Excluded(key) => self.keys.partition_point(|probe| probe.borrow() <= key),
        }
    }

    /// How many keys stand up to the place that `bound` starts a walk back at.
    fn place_back<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> usize
    where
        K: Borrow<Q>,
    {
        match bound {
            Bound::Unbounded => self.keys.len(),
            Bound::Included(key) => self.keys.partition_point(|probe| probe.borrow() <= key),
            Bound::Excluded(key) => self.keys.partition_point(|probe| probe.borrow() < key),
        }
    }
}

impl<K, V> Inner<K, V> {
    /// The child below which `key` belongs.
    fn child_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        self.keys[1..].partition_point(|bound| bound.borrow() <= key)
    }
}

/// A leaf and a place in it.
type Place<'a, K, V> = (&'a Leaf<K, V>, usize);

impl<K, V> Node<K, V> {
    fn len(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.keys.len(),
            Node::Inner(inner) => inner.children.len(),
        }
    }

    fn first_leaf(&self) -> &Leaf<K, V> {
        match self {
            Node::Leaf(leaf) => leaf,
            Node::Inner(inner) => inner.children[0].first_leaf(),
        }
    }

    fn last_leaf(&self) -> &Leaf<K, V> {
        match self {
            Node::Leaf(leaf) => leaf,
            Node::Inner(inner) => inner.children[inner.children.len() - 1].last_leaf(),
        }
    }

    fn leaf_of<Q: Ord + ?Sized>(&self, key: &Q) -> &Leaf<K, V>
    where
        K: Borrow<Q>,
    {
        match self {
            Node::Leaf(leaf) => leaf,
            Node::Inner(inner) => inner.children[inner.child_of(key)].leaf_of(key),
        }
    }

    /// The first pair that a walk from `bound` meets.
    fn seek<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> Option<Place<'_, K, V>>
    where
        K: Borrow<Q>,
    {
        let (mut node, mut right) = (self, None);
        let leaf = loop {
            match node {
                Node::Leaf(leaf) => break leaf,
                Node::Inner(inner) => {
                    let at = match bound {
                        Bound::Unbounded => 0,
                        Bound::Included(key) | Bound::Excluded(key) => inner.child_of(key),
                    };
                    right = inner.children.get(at + 1).or(right);
                    node = &inner.children[at];
                }
            }
        };
        match leaf.place_from(bound) {
            at if at < leaf.keys.len() => Some((leaf, at)),
            _ => Some((right?.first_leaf(), 0)),
        }
    }

    /// The first pair that a walk back from `bound` meets.
    fn seek_back<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> Option<Place<'_, K, V>>
    where
        K: Borrow<Q>,
    {
        let (mut node, mut left) = (self, None);
        let leaf = loop {
            match node {
                Node::Leaf(leaf) => break leaf,
                Node::Inner(inner) => {
                    let at = match bound {
                        Bound::Unbounded => inner.children.len() - 1,
                        Bound::Included(key) | Bound::Excluded(key) => inner.child_of(key),
                    };
                    left = at.checked_sub(1).map(|at| &inner.children[at]).or(left);
                    node = &inner.children[at];
                }
            }
        };
        match leaf.place_back(bound) {
            0 => {
                let leaf = left?.last_leaf();
                Some((leaf, leaf.keys.len() - 1))
            }
            at => Some((leaf, at - 1)),
        }
    }
}

/// Cuts a full vector for an insertion at `at`: in the middle, or behind its end.
fn cut(len: usize, at: usize) -> usize {
    if at == len { len } else { len / 2 }
}

fn insert<K: Ord + Clone, V: Clone>(
    node: &mut Arc<Node<K, V>>,
    key: K,
    value: V,
) -> (Option<V>, Split<K, V>) {
    match Arc::make_mut(node) {
        Node::Leaf(leaf) => match leaf.find(&key) {
            Ok(at) => (Some(std::mem::replace(&mut leaf.values[at], value)), None),
            Err(at) => (None, leaf.add(at, key, value)),
        },
        Node::Inner(inner) => {
            let at = inner.child_of(&key);
            let (old, split) = insert(&mut inner.children[at], key, value);
            let split = split.and_then(|(bound, right)| inner.add(at + 1, bound, right));
            (old, split)
        }
    }
}

impl<K: Clone, V> Leaf<K, V> {
    fn add(&mut self, at: usize, key: K, value: V) -> Split<K, V> {
        if self.keys.len() < FANOUT {
            self.keys.insert(at, key);
            self.values.insert(at, value);
            return None;
        }
        let cut = cut(FANOUT, at);
        let mut right = Leaf {
            keys: self.keys.split_off(cut),
            values: self.values.split_off(cut),
        };
        let (half, at) = if at < cut {
            (self, at)
        } else {
            (&mut right, at - cut)
        };
        half.keys.insert(at, key);
        half.values.insert(at, value);
        Some((right.keys[0].clone(), Arc::new(Node::Leaf(right))))
    }
}

impl<K: Clone, V> Inner<K, V> {
    fn add(&mut self, at: usize, bound: K, child: Arc<Node<K, V>>) -> Split<K, V> {
        if self.children.len() < FANOUT {
            self.keys.insert(at, bound);
            self.children.insert(at, child);
            return None;
        }
        let cut = cut(FANOUT, at);
        let mut right = Inner {
            keys: self.keys.split_off(cut),
            children: self.children.split_off(cut),
        };
        // A new first child would have to tell its bound above: it goes left.
        let (half, at) = if at <= cut && cut < FANOUT {
            (self, at)
        } else {
            (&mut right, at - cut)
        };
        half.keys.insert(at, bound);
        half.children.insert(at, child);
        Some((right.keys[0].clone(), Arc::new(Node::Inner(right))))
    }

    /// Removes the child at `at` if it is empty, or joins it with a neighbour if
    /// both are sparse.
    fn tidy(&mut self, at: usize)
    where
        K: Ord,
        V: Clone,
    {
        let len = self.children[at].len();
        if len == 0 {
            self.keys.remove(at);
            self.children.remove(at);
            return;
        }
        if len >= SPARSE {
            return;
        }
        let fits = |left: usize| {
            let pair = self.children.get(left..left + 2);
            pair.is_some_and(|pair| pair[0].len() + pair[1].len() <= JOINED_MAX)
        };
        let left = match at.checked_sub(1) {
            Some(left) if fits(left) => left,
            _ if fits(at) => at,
            _ => return,
        };
        let bound = self.keys.remove(left + 1);
        let right = Arc::unwrap_or_clone(self.children.remove(left + 1));
        Arc::make_mut(&mut self.children[left]).join(bound, right);
    }
}

impl<K, V> Node<K, V> {
    /// Takes in the right neighbour, whose bound is `bound`.
    fn join(&mut self, bound: K, right: Node<K, V>) {
        match (self, right) {
            (Node::Leaf(left), Node::Leaf(right)) => {
                left.keys.extend(right.keys);
                left.values.extend(right.values);
            }
            (Node::Inner(left), Node::Inner(mut right)) => {
                // What was not looked at in a first key is looked at now.
                right.keys[0] = bound;
                left.keys.extend(right.keys);
                left.children.extend(right.children);
            }
            _ => unreachable!("all leaves are equally deep"),
        }
    }
}

/// A node's pairs below `key`, and the others; nodes of the same depth.
#[allow(clippy::type_complexity)]
fn cut_node<K, V, Q>(
    mut node: Arc<Node<K, V>>,
    key: &Q,
) -> (Option<Arc<Node<K, V>>>, Option<Arc<Node<K, V>>>)
where
    K: Ord + Clone + Borrow<Q>,
    V: Clone,
    Q: Ord + ?Sized,
{
    let rest = match Arc::make_mut(&mut node) {
        Node::Leaf(leaf) => {
            let at = leaf.place_from(Bound::Included(key));
            Node::Leaf(Leaf {
                keys: leaf.keys.split_off(at),
                values: leaf.values.split_off(at),
            })
        }
        Node::Inner(inner) => {
            let at = inner.child_of(key);
            let mut rest = Inner {
                keys: inner.keys.split_off(at),
                children: inner.children.split_off(at),
            };
            let bound = rest.keys.remove(0);
            let (front, back) = cut_node(rest.children.remove(0), key);
            if let Some(back) = back {
                rest.keys.insert(0, bound.clone());
                rest.children.insert(0, back);
            }
            if let Some(front) = front {
                inner.keys.push(bound);
                inner.children.push(front);
            }
            Node::Inner(rest)
        }
    };
    let front = (node.len() > 0).then_some(node);
    let rest = (rest.len() > 0).then(|| Arc::new(rest));
    (front, rest)
}

fn remove<K, V, Q>(node: &mut Arc<Node<K, V>>, key: &Q) -> Option<V>
where
    K: Ord + Clone + Borrow<Q>,
    V: Clone,
    Q: Ord + ?Sized,
{
    match Arc::make_mut(node) {
        Node::Leaf(leaf) => {
            let at = leaf.find(key).ok()?;
            leaf.keys.remove(at);
            Some(leaf.values.remove(at))
        }
        Node::Inner(inner) => {
            let at = inner.child_of(key);
            let old = remove(&mut inner.children[at], key)?;
            inner.tidy(at);
            Some(old)
        }
    }
}

/// Pairs in ascending order. O(1) a step, O(log n) from leaf to leaf.
#[derive(Clone, Debug)]
pub struct Iter<'a, K, V> {
    map: &'a OrdMap<K, V>,
    place: Option<Place<'a, K, V>>,
}

impl<'a, K: Ord, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let (leaf, at) = self.place?;
        let pair = (&leaf.keys[at], &leaf.values[at]);
        self.place = if at + 1 < leaf.keys.len() {
            Some((leaf, at + 1))
        } else {
            let root = self.map.root.as_deref()?;
            root.seek(Bound::Excluded(pair.0))
        };
        Some(pair)
    }
}

/// Pairs in descending order. O(1) a step, O(log n) from leaf to leaf.
#[derive(Clone, Debug)]
pub struct IterBack<'a, K, V> {
    map: &'a OrdMap<K, V>,
    place: Option<Place<'a, K, V>>,
}

impl<'a, K: Ord, V> Iterator for IterBack<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let (leaf, at) = self.place?;
        let pair = (&leaf.keys[at], &leaf.values[at]);
        self.place = if at > 0 {
            Some((leaf, at - 1))
        } else {
            let root = self.map.root.as_deref()?;
            root.seek_back(Bound::Excluded(pair.0))
        };
        Some(pair)
    }
}
