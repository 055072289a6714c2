//! HTML as libxml2 2.14 reads it, which is the result of `lxml.html` in a Python script.
//!
//! The scores that official scripts compute on HTML depend on this reading, which differs from the HTML
//! standard: no `tbody` is added, nothing is moved out of a table, and libxml2's own tables say which open
//! elements a tag closes. The tokenizer and the character references follow the standard. Comments,
//! processing instructions and the doctype are dropped. No input is an error.

mod chars;
mod document;
mod parser;
mod rules;
mod state;

pub use document::{Document, Element, Node, NodeId};

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
