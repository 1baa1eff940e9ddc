//! Lists handed out in pages (distribution specification, "Listing Tags").

use http::StatusCode;

use crate::api_error::{ApiError, ApiResult};
use crate::route::Query;

/// One page of a list, and what to ask for the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The entries, in the order of their bytes.
    pub(crate) entries: Vec<String>,
    /// The query of the next page, if there is one.
    pub(crate) next: Option<String>,
}

impl Page {
    /// The page that `n` (how many at most) and `last` (the entry before the page, which need not exist) ask for.
    ///
    /// # Errors
    /// When `n` is no number.
    pub(crate) fn cut(mut all: Vec<String>, query: &Query) -> ApiResult<Self> {
        let limit = match query.get("n") {
            None => usize::MAX,
            Some(text) => text.parse::<usize>().map_err(|_| {
                let message = format!("n is the number of entries wanted, not '{text}'");
                ApiError::other(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID", message)
            })?,
        };
        all.sort_unstable();
        if let Some(last) = query.get("last") {
            all.drain(..all.partition_point(|entry| entry.as_str() <= last));
        }
        let more = all.len() > limit;
        all.truncate(limit);
        let next = match all.last() {
            Some(last) if more => Some(
                url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("n", &limit.to_string())
                    .append_pair("last", last)
                    .finish(),
            ),
            _ => None,
        };
        Ok(Self { entries: all, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> ApiResult<Page> {
        let all = ["b", "a", "c", "B"].map(str::to_owned).to_vec();
        Page::cut(all, &Query::of(&format!("/?{query}").parse().unwrap()))
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let first = page("n=2").unwrap();
        assert_eq!(first.entries, ["B", "a"]);
        let second = page(&first.next.unwrap()).unwrap();
        assert_eq!(second.entries, ["b", "c"]);
        assert_eq!(second.next, None);
    }

    #[test]
    fn last_need_not_exist() {
        assert_eq!(page("last=aa").unwrap().entries, ["b", "c"]);
        assert!(page("last=z").unwrap().entries.is_empty());
    }

    #[test]
    fn no_entries_are_a_page_without_a_next_one() {
        assert_eq!(page("n=0").unwrap(), Page { entries: Vec::new(), next: None });
    }

    #[test]
    fn a_limit_that_is_no_number_is_refused() {
        assert!(page("n=many").is_err());
        assert!(page("n=-1").is_err());
    }
}
