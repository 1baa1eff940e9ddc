//! The tags of a repository (distribution specification, "Listing Tags").

use std::collections::HashSet;

use http::Method;
use http::header::LINK;
use imgpkg_oci::Tag;
use serde::Deserialize;

use crate::auth::Access;
use crate::error::Error;
use crate::http::Response;
use crate::origin::{self, Origin};
use crate::session::{Call, Session};

/// As many as every registry allows in one page.
const PAGE: &str = "1000";

/// The largest page that is read: a thousand tags of 128 characters are far below it.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Session {
    /// Is the repository one that nobody has pushed a tag to? In doubt it is not; it is only worth asking once.
    pub(crate) async fn has_no_tags(&self) -> bool {
        let Ok(mut url) = self.url("tags/list").await else { return false };
        url.query_pairs_mut().append_pair("n", "1");
        let call = Call::new(Method::GET, url, Access::Push, &[200, 404]);
        let Ok(mut response) = self.send_once(&call).await else { return false };
        if response.status() == 404 {
            return true;
        }
        let Ok(body) = response.document(MOST_BYTES).await else { return false };
        serde_json::from_slice(&body).is_ok_and(|page: Page| page.tags.unwrap_or_default().is_empty())
    }

    /// All tags, in the order in which the registry lists them.
    ///
    /// # Errors
    /// When the repository is not there, or a page of the list makes no sense.
    pub(crate) async fn tags(&self) -> Result<Vec<String>, Error> {
        let mut url = self.url("tags/list").await?;
        url.query_pairs_mut().append_pair("n", PAGE);
        let first = Origin::of(&url);
        let mut seen = HashSet::new();
        let mut tags = Vec::new();
        loop {
            seen.insert(url.clone());
            let call = Call::new(Method::GET, url, Access::Pull, &[200]);
            let (response, body) = self.read(&call, MOST_BYTES).await?;
            let page: Page = serde_json::from_slice(&body)
                .map_err(|error| response.head().senseless(format!("reading the list of tags: {error}")))?;
            // What is no tag cannot be asked for, and may not be fit for a terminal.
            let named = page.tags.unwrap_or_default().into_iter();
            tags.extend(named.filter(|name| Tag::parse(name).is_ok()));
            let Some(next) = next_page(&response) else { return Ok(tags) };
            let Some(next) = origin::resolve(&response.url, &next) else {
                return Err(response.head().senseless(format!("the next page is at no URL: {next}")));
            };
            if Origin::of(&next) != first {
                return Err(response.head().senseless("the next page is on another host"));
            }
            if seen.contains(&next) {
                return Err(response
                    .head()
                    .senseless("the pages of the list lead back to one that was read"));
            }
            url = next;
        }
    }
}

/// The target of `Link: <…>; rel="next"`.
fn next_page(response: &Response) -> Option<String> {
    let values = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(target_of_next)
}

fn target_of_next(link: &str) -> Option<String> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let mut relations = parameters.split(';').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
    });
    // The reference takes any link for the next page, and some registries leave the relation out.
    let is_next = relations.next().is_none_or(|relation| relation.eq_ignore_ascii_case("next"));
    is_next.then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::target_of_next;

    #[test]
    fn only_the_link_to_the_next_page_is_followed() {
        let next = |link| target_of_next(link);
        assert_eq!(
            next(r#"</v2/a/tags/list?last=b&n=1>; rel="next""#).unwrap(),
            "/v2/a/tags/list?last=b&n=1"
        );
        assert_eq!(next("</x>; title=a; rel=next").unwrap(), "/x");
        assert_eq!(next("</x>").unwrap(), "/x");
        assert_eq!(next(r#"</x>; rel="prev""#), None);
        assert_eq!(next("/x; rel=next"), None);
    }
}
