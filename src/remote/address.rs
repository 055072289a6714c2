//! The base address of a server, in all forms in which people write it.

/// An address to which paths such as `/chat/completions` are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    base: String,
    /// The query with its question mark. Some gateways require `?api-version=…`.
    query: String,
}

impl Address {
    /// Treats `http://host`, `http://host/v1`, `http://host/v1/` and `http://host/v1/chat/completions` as the
    /// same address. Any other path stays as it is.
    ///
    /// # Errors
    /// What is wrong with the text, as the end of a sentence that begins with the name of the setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let plain = text.split('#').next().unwrap_or(text);
        let (path, query) = plain
            .find('?')
            .map_or((plain, ""), |mark| plain.split_at(mark));
        let Some((scheme, rest)) = path.split_once("://") else {
            return Err("does not begin with http:// or https://".into());
        };
        if !matches!(scheme, "http" | "https") {
            return Err("does not begin with http:// or https://".into());
        }
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() {
            return Err("has no host".into());
        }
        if host.contains('@') {
            return Err(
                "contains a user name or a password; put the key into an environment variable or a file".into(),
            );
        }
        let path = path.trim_end_matches('/');
        let base = match path.strip_suffix("/chat/completions") {
            Some(base) => base.trim_end_matches('/').to_owned(),
            None if rest.trim_end_matches('/') == host => format!("{path}/v1"),
            None => path.to_owned(),
        };
        Ok(Self {
            base,
            query: query.to_owned(),
        })
    }

    /// The address of a path, which begins with `/`.
    pub fn path_url(&self, path: &str) -> String {
        format!("{}{path}{}", self.base, self.query)
    }

    /// The part of the address that may be shown and recorded.
    pub fn shown(&self) -> &str {
        &self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_asks_the_same_path() {
        for text in [
            "http://host:8000",
            "http://host:8000/",
            "http://host:8000/v1",
            " http://host:8000/v1/ ",
            "http://host:8000/v1/chat/completions",
            "http://host:8000/v1/chat/completions/",
        ] {
            let address = Address::parse(text).unwrap();
            let url = address.path_url("/chat/completions");
            assert_eq!(url, "http://host:8000/v1/chat/completions", "{text}");
        }
        // A gateway's own path and query stay.
        let text = "https://r.example/openai/deployments/d/chat/completions?api-version=1";
        assert_eq!(
            Address::parse(text).unwrap().path_url("/chat/completions"),
            text
        );
        let other = Address::parse("https://r.example/api/v3").unwrap();
        assert_eq!(other.path_url("/models"), "https://r.example/api/v3/models");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "host:8000",
            "ftp://host",
            "https://",
            "https://user:pass@host/v1",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
