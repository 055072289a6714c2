//! HTML as libxml2 2.14 reads it, which is the result of `lxml.html` in a Python script.
//!
//! The scores that official scripts compute on HTML depend on this reading, which differs from the HTML
//! standard: no `tbody` is added, nothing is moved out of a table, and libxml2's own tables say which open
//! elements a tag closes. The tokenizer and the character references follow the standard. Comments,
//! processing instructions and the doctype are dropped. No input is an error.

mod chars;
mod parser;
mod rules;

/// Largest number of elements that are open at once. Deeper input is cut off, as libxml2 does.
const MAX_DEPTH: usize = 256;

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
    /// Reads a text.
    pub fn parse(text: &str) -> Self {
        parser::parse(text)
    }

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
    fn push_element(
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
    fn push_text(&mut self, parent: NodeId, text: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A tree as tags and texts, without attributes.
    fn shown(text: &str) -> String {
        fn show(document: &Document, id: NodeId, out: &mut String) {
            match document.node(id) {
                Some(Node::Text(text)) => out.push_str(text),
                Some(Node::Element(element)) => {
                    out.push_str(&format!("<{}>", element.name));
                    for (child, _) in document.children(id) {
                        show(document, child, out);
                    }
                    out.push_str(&format!("</{}>", element.name));
                }
                None => {}
            }
        }
        let document = Document::parse(text);
        let mut out = String::new();
        if let Some(root) = document.root() {
            show(&document, root, &mut out);
        }
        out
    }

    /// What lxml 6.1.3 (libxml2 2.14.6) makes of these.
    #[test]
    fn trees_are_those_of_libxml2() {
        let in_body = [
            (
                "<table><tr><td>a<td>b",
                "<table><tr><td>a</td><td>b</td></tr></table>",
            ),
            ("x<div><p>y<table>z", "x<div><p>y</p><table>z</table></div>"),
            ("<tr><b><td>a</b>c", "<tr><b></b><td>ac</td></tr>"),
            (
                "<td>a&amp;b&lt;c&notit;&#128;&#0;&x;",
                "<td>a&b<c¬it;€\u{fffd}&x;</td>",
            ),
            ("<td><!-- a --!>b<?p?>c</>d</3>e< f", "<td>bcde< f</td>"),
            ("<td><br/>c<img>d</br>", "<td><br></br>c<img></img>d</td>"),
        ];
        for (text, tree) in in_body {
            let page = format!("<html><body>{text}</body></html>");
            let tree = format!("<html><body>{tree}</body></html>");
            assert_eq!(shown(&page), tree, "{text}");
        }
        let whole = [
            (
                "<html><body><table></body>a</html>b",
                "<html><body><table></table></body>a</html>",
            ),
            (
                "<title>a<b></title>c",
                "<html><head><title>a<b></title></head><body>c</body></html>",
            ),
            ("", ""),
            ("<!-- only -->", ""),
        ];
        for (text, tree) in whole {
            assert_eq!(shown(text), tree, "{text}");
        }
    }

    #[test]
    fn attributes_are_read_as_they_stand() {
        let document = Document::parse("<td COLSPAN = '2&lt;' colspan=3 rowspan =4/x nowrap>");
        let cell = (0..).map_while(|id| document.node(id)).find_map(|node| {
            let Node::Element(element) = node else {
                return None;
            };
            (element.name == "td").then_some(element)
        });
        let value = |name| cell.and_then(|cell| cell.attribute(name));
        assert_eq!(value("colspan"), Some("2<"));
        assert_eq!(value("rowspan"), Some("4/x"));
        assert_eq!(value("nowrap"), Some(""));
        assert_eq!(value("class"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_document(
            text in "(.|<|</|>|<!--|-->|<!|&|&#|;|=|\"|'|/|<table|<td|<script>|</script|<title>){0,40}"
        ) {
            Document::parse(&text);
        }
    }

    #[test]
    fn long_and_deep_texts_end() {
        for unit in [
            "<",
            "<div>",
            "</",
            "<td a=",
            "&",
            "<!--",
            "<script><!--",
            "a",
        ] {
            Document::parse(&unit.repeat(200_000 / unit.len()));
        }
    }
}
