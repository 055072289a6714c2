//! Places in object stores, as they are written: `s3://BUCKET/PREFIX`.

use super::SyncError;
use object_store::path::Path;
use std::fmt;
use std::str::FromStr;

/// The service that keeps the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Amazon S3, and what speaks its language.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Service {
    const ALL: [(&'static str, Self); 3] =
        [("s3", Self::S3), ("gs", Self::Google), ("az", Self::Azure)];

    /// The environment variables that name the account and the key.
    pub(super) fn variables(self) -> &'static str {
        match self {
            Self::S3 => {
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; AWS_ENDPOINT_URL for another server than \
                 Amazon's"
            }
            Self::Google => "GOOGLE_APPLICATION_CREDENTIALS, the file of a service account",
            Self::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        }
    }
}

/// A place in an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) service: Service,
    pub(super) bucket: String,
    pub(super) prefix: Path,
}

impl Address {
    /// Whether a text is meant as an address, and not as a path.
    pub fn is_meant(text: &str) -> bool {
        text.contains("://")
    }

    /// The place below this one.
    ///
    /// # Errors
    /// Fails if a part of the name has no form as an object's name.
    pub fn below(&self, relative: &str) -> Result<Self, SyncError> {
        let whole = match (self.prefix.is_root(), relative) {
            (_, "") => self.prefix.to_string(),
            (true, relative) => relative.to_owned(),
            (false, relative) => format!("{}/{relative}", self.prefix),
        };
        Ok(Self {
            service: self.service,
            bucket: self.bucket.clone(),
            prefix: Path::parse(whole).map_err(|error| SyncError::name(relative, error))?,
        })
    }

    /// The last parts of the path, at most so many.
    pub(super) fn last_parts(&self, count: usize) -> Vec<String> {
        let whole = format!("{}/{}", self.bucket, self.prefix);
        let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty()).collect();
        // The bucket is the last part only where there is nothing else.
        let from = parts
            .len()
            .saturating_sub(count)
            .max(usize::from(parts.len() > 1));
        parts[from..]
            .iter()
            .map(|part| (*part).to_owned())
            .collect()
    }
}

impl FromStr for Address {
    type Err = SyncError;

    fn from_str(text: &str) -> Result<Self, SyncError> {
        let wrong = || SyncError::Address { text: text.into() };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let service = Service::ALL.into_iter().find(|(name, _)| *name == scheme);
        let (_, service) = service.ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            service,
            bucket: bucket.to_owned(),
            prefix: Path::parse(prefix).map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = Service::ALL
            .into_iter()
            .find(|(_, service)| *service == self.service);
        let scheme = scheme.map_or("", |(name, _)| name);
        write!(f, "{scheme}://{}", self.bucket)?;
        if !self.prefix.is_root() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in ["s3://b", "gs://b/a/c", "az://box/long name/x"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let address: Address = "s3://b/a/".parse().unwrap();
        assert_eq!(address.to_string(), "s3://b/a");
        assert_eq!(address.below("c/d").unwrap().to_string(), "s3://b/a/c/d");
        assert_eq!(address.below("").unwrap(), address);
        for text in [
            "",
            "results",
            "s3://",
            "s3:///a",
            "ftp://b/a",
            "s3://b/../c",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("no address"), "{text}: {error}");
        }
    }

    #[test]
    fn a_run_is_named_by_the_last_parts() {
        let last = |text: &str| text.parse::<Address>().unwrap().last_parts(3).join("/");
        assert_eq!(last("s3://b/x/y/suite/model/run"), "suite/model/run");
        assert_eq!(last("s3://b/model/run"), "model/run");
        assert_eq!(last("s3://b"), "b");
    }
}
