//! Edit distance of ordered trees.
//!
//! Zhang & Shasha, SIAM J. Comput. 18 (1989): the least cost of inserting, deleting and relabelling nodes
//! that turns one tree into the other. The children of a deleted node move up to its parent. Every exact
//! algorithm, such as APTED, gives the same number.

/// An ordered tree, numbered from the leaves up (postorder).
#[derive(Debug, Clone)]
pub struct Tree {
    /// The caller's number of each node.
    nodes: Vec<usize>,
    /// The first leaf under each node, which is the node itself for a leaf.
    first_leaf: Vec<usize>,
    /// The last node of each first leaf.
    key_roots: Vec<usize>,
}

impl Tree {
    /// The tree under `root`. `children[n]` contains the children of node `n`. A node must be the child of at
    /// most one node.
    pub fn new(children: &[Vec<usize>], root: usize) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            first_leaf: Vec::new(),
            key_roots: Vec::new(),
        };
        // The node, the index of its next child, and the number of nodes that were numbered when it was
        // opened.
        let mut open = vec![(root, 0, 0)];
        while let Some((node, next, before)) = open.last_mut() {
            let child = children.get(*node).and_then(|all| all.get(*next));
            if let Some(&child) = child {
                *next += 1;
                let numbered = tree.nodes.len();
                open.push((child, 0, numbered));
            } else {
                tree.nodes.push(*node);
                tree.first_leaf.push(*before);
                open.pop();
            }
        }
        let mut seen = vec![false; tree.nodes.len()];
        for at in (0..tree.nodes.len()).rev() {
            let leaf = tree.first_leaf[at];
            if !seen[leaf] {
                seen[leaf] = true;
                tree.key_roots.push(at);
            }
        }
        tree.key_roots.reverse();
        tree
    }

    /// The number of nodes.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }
}

/// The distance. Inserting or deleting a node costs 1, and `relabel` gives the cost of turning a node of `a`
/// into one of `b`, by the caller's numbers.
pub fn distance(a: &Tree, b: &Tree, mut relabel: impl FnMut(usize, usize) -> f64) -> f64 {
    let width = b.size();
    let mut trees = vec![0.0; a.size() * width];
    let mut forests = Vec::new();
    for &i in &a.key_roots {
        for &j in &b.key_roots {
            subtrees(a, b, (i, j), &mut trees, &mut forests, &mut relabel);
        }
    }
    trees.last().copied().unwrap_or(0.0)
}

/// Computes the distances of all subtrees of `a` that end in key root `i` and share its first leaf to those
/// of `b`.
fn subtrees(
    a: &Tree,
    b: &Tree,
    (i, j): (usize, usize),
    trees: &mut [f64],
    forests: &mut Vec<f64>,
    relabel: &mut impl FnMut(usize, usize) -> f64,
) {
    let (first_a, first_b) = (a.first_leaf[i], b.first_leaf[j]);
    let width = b.size();
    if first_a == i && first_b == j {
        // Two leaves, as for most pairs of key roots.
        trees[i * width + j] = lesser(2.0, relabel(a.nodes[i], b.nodes[j]));
        return;
    }
    let (rows, columns) = (i - first_a + 2, j - first_b + 2);
    forests.clear();
    forests.extend((0..columns).map(|column| column as f64));
    forests.resize(rows * columns, 0.0);
    let (leaves_b, nodes_b) = (&b.first_leaf[first_b..=j], &b.nodes[first_b..=j]);
    for row in 1..rows {
        let node_a = first_a + row - 1;
        let leaf_a = a.first_leaf[node_a];
        let (above, here) = forests.split_at_mut(row * columns);
        let previous = &above[(row - 1) * columns..];
        // The remaining forest without the subtree of this node.
        let without = &above[(leaf_a - first_a) * columns..][..columns];
        let known = &mut trees[node_a * width + first_b..][..columns - 1];
        let (mut left, mut diagonal) = (row as f64, previous[0]);
        here[0] = left;
        let cells = here[1..columns].iter_mut().zip(&previous[1..]);
        let cells = cells.zip(known).zip(leaves_b.iter().zip(nodes_b));
        for (((cost, &up), known), (&leaf_b, &label_b)) in cells {
            let edit = lesser(left, up) + 1.0;
            left = if leaf_a == first_a && leaf_b == first_b {
                *known = lesser(edit, diagonal + relabel(a.nodes[node_a], label_b));
                *known
            } else {
                lesser(edit, without[leaf_b - first_b] + *known)
            };
            *cost = left;
            diagonal = up;
        }
    }
}

/// The smaller of two numbers, neither of which is NaN.
fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the paper: f(d(a c(b)) e) and f(c(d(a b)) e), distance 2.
    #[test]
    fn gives_the_paper_s_distance() {
        let first = vec![vec![1, 5], vec![2, 3], vec![], vec![4], vec![], vec![]];
        let second = vec![vec![1, 5], vec![2], vec![3, 4], vec![], vec![], vec![]];
        let (a, b) = ("fdacbe".as_bytes(), "fcdabe".as_bytes());
        let trees = (Tree::new(&first, 0), Tree::new(&second, 0));
        let unit = |x: usize, y: usize| f64::from(u8::from(a[x] != b[y]));
        assert_eq!(distance(&trees.0, &trees.1, unit), 2.0);
        assert_eq!(
            distance(&trees.0, &trees.0, |x, y| f64::from(u8::from(x != y))),
            0.0
        );
    }
}
