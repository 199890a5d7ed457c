//! All names of keys. What one script touches shares a hash tag.

use crate::api::LedgerError;
use domain::{BatchId, ChunkId, LaneName, Priority, ReferenceKey};

/// Bytes of a reference's key that are a field's name; the others choose the hash.
pub(super) const FIELD_BYTES: usize = 15;

/// Makes the names, all behind one prefix.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// Takes a prefix. A brace in it would take the place of our hash tags.
    pub fn new(prefix: &str) -> Result<Keys, LedgerError> {
        let good = |b: u8| b.is_ascii_graphic() && b != b'{' && b != b'}';
        if prefix.is_empty() || !prefix.bytes().all(good) {
            let text = "the prefix of keys must be printable ASCII without spaces and braces";
            return Err(LedgerError::Broken(text.to_owned()));
        }
        Ok(Keys { prefix: prefix.to_owned() })
    }

    fn of_batch(&self, batch: BatchId, rest: &str) -> String {
        format!("{}:{{b:{batch}}}:{rest}", self.prefix)
    }

    fn of_chunk(&self, chunk: ChunkId, kind: char) -> String {
        format!("{}:{{b:{}}}:{kind}:{}", self.prefix, chunk.batch, number(chunk.no))
    }

    pub fn meta(&self, batch: BatchId) -> String {
        self.of_batch(batch, "meta")
    }

    /// Scripts add `:<number>` for each chunk that they go through.
    pub fn chunks(&self, batch: BatchId) -> String {
        self.of_batch(batch, "c")
    }

    pub fn chunk(&self, chunk: ChunkId) -> String {
        self.of_chunk(chunk, 'c')
    }

    pub fn slots(&self, chunk: ChunkId) -> String {
        self.of_chunk(chunk, 's')
    }

    pub fn blocks(&self, chunk: ChunkId) -> String {
        self.of_chunk(chunk, 'r')
    }

    pub fn notes(&self, chunk: ChunkId) -> String {
        self.of_chunk(chunk, 'n')
    }

    /// Scripts add `:<lane>`, which only the chunk's hash knows.
    pub fn due(&self, batch: BatchId) -> String {
        self.of_batch(batch, "due")
    }

    pub fn due_on(&self, batch: BatchId, lane: &LaneName) -> String {
        format!("{}:{lane}", self.due(batch))
    }

    /// The hash that holds a reference; its fields are the key's last 15 bytes.
    pub fn index(&self, key: ReferenceKey) -> String {
        let ReferenceKey([family, hash, ..]) = key;
        format!("{}:{{r:{family:02x}}}:{:02x}", self.prefix, hash & 0x3f)
    }

    pub fn files(&self) -> String {
        format!("{}:{{f}}:files", self.prefix)
    }

    /// What all registers say.
    pub fn registers(&self) -> String {
        format!("{}:{{f}}:registers", self.prefix)
    }

    /// The names of all registers, in order.
    pub fn register_names(&self) -> String {
        format!("{}:{{f}}:names", self.prefix)
    }

    /// The entries of an audit chain.
    pub fn chain(&self, chain: &str) -> String {
        format!("{}:{{f}}:chain:{chain}", self.prefix)
    }

    /// `id`, `layout`, `batches`, `open` or `sweep`.
    pub fn installation(&self, what: &str) -> String {
        format!("{}:{{i}}:{what}", self.prefix)
    }

    /// What a lane keeps for each priority: `order` or `time`.
    pub fn turns(&self, lane: &LaneName, what: &str, priority: Priority) -> String {
        match priority {
            Priority::Normal => self.lane(lane, what),
            Priority::High | Priority::Low => self.lane(lane, &format!("{what}:{priority}")),
        }
    }

    /// `order`, `time`, `taken`, `record`, `slot`, `rules` or `strays`.
    pub fn lane(&self, lane: &LaneName, what: &str) -> String {
        format!("{}:{{l:{lane}}}:{what}", self.prefix)
    }
}

/// A chunk's number, of one width: sorted sets order equal times by text.
pub(super) fn number(no: u16) -> String {
    format!("{no:05}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_cannot_take_the_place_of_the_hash_tags() {
        assert!(Keys::new("pay{out}").is_err());
        assert!(Keys::new("").is_err());
        let keys = Keys::new("p").unwrap();
        assert_eq!(keys.index(ReferenceKey([0xff; 16])), "p:{r:ff}:3f");
    }
}
