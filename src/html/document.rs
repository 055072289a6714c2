//! A parsed text as a tree of elements and texts.

/// Index of a node in its [`Document`].
pub type NodeId = usize;

/// One node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// A text.
    Text(String),
}

/// An element with its lower-cased name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The name in lower case.
    pub name: String,
    /// In the order of the text. Of several attributes with one name, only the first is kept.
    attributes: Vec<(String, String)>,
    children: Vec<NodeId>,
}

impl Element {
    /// The value of an attribute, which is empty for one without a value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, v)| v.as_str())
    }
}

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    nodes: Vec<Node>,
    root: Option<NodeId>,
}

impl Document {
    /// The first element that is not inside another one. `None` if the text contains only blanks and
    /// comments.
    pub fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// The node with this index.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The element with this index. `None` for a text.
    pub fn element(&self, id: NodeId) -> Option<&Element> {
        match self.nodes.get(id)? {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        }
    }

    /// The elements and texts directly under `id`, in order. A text has none.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = (NodeId, &Node)> {
        let ids = self.element(id).map_or(&[][..], |e| &e.children);
        ids.iter()
            .filter_map(|&child| Some((child, self.nodes.get(child)?)))
    }

    /// The elements with the name `name` directly under `id`, in order.
    pub fn named<'a>(&'a self, id: NodeId, name: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.children(id)
            .filter_map(move |(child, node)| match node {
                Node::Element(element) if element.name == name => Some(child),
                _ => None,
            })
    }

    /// The number of elements under `id`, at any depth.
    pub fn descendants(&self, id: NodeId) -> usize {
        let mut open = vec![id];
        let mut count = 0;
        while let Some(next) = open.pop() {
            for (child, node) in self.children(next) {
                if matches!(node, Node::Element(_)) {
                    count += 1;
                    open.push(child);
                }
            }
        }
        count
    }

    /// Adds an element under `parent`, or at the top.
    pub(super) fn push_element(
        &mut self,
        parent: Option<NodeId>,
        name: &str,
        attributes: Vec<(String, String)>,
    ) -> NodeId {
        let id = self.push(
            parent,
            Node::Element(Element {
                name: name.to_owned(),
                attributes,
                children: Vec::new(),
            }),
        );
        if parent.is_none() {
            self.root.get_or_insert(id);
        }
        id
    }

    /// Adds characters under `parent`: to the text at its end, or as a new text.
    pub(super) fn push_text(&mut self, parent: NodeId, text: &str) {
        let last = self
            .element(parent)
            .and_then(|e| e.children.last().copied());
        if let Some(Node::Text(known)) = last.and_then(|id| self.nodes.get_mut(id)) {
            known.push_str(text);
        } else {
            self.push(Some(parent), Node::Text(text.to_owned()));
        }
    }

    fn push(&mut self, parent: Option<NodeId>, node: Node) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(node);
        if let Some(Node::Element(element)) = parent.and_then(|p| self.nodes.get_mut(p)) {
            element.children.push(id);
        }
        id
    }
}
