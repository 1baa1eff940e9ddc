//! Tables: rows of text under headers, for people (with title and count) and for scripts (rows, cells ended by tabs).

use std::collections::BTreeMap;

use super::colour;
use super::json::TableEntry;

/// A table as a command makes it.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// What stands above it.
    pub(crate) title: &'static str,
    /// What its rows are; stands behind their number.
    pub(crate) content: &'static str,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
    /// Its rows, each with a cell for every column, in the order in which they are printed.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A column of a [`Table`].
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its header.
    pub(crate) title: &'static str,
    /// Is it shown only when `--column` asks for it?
    pub(crate) hidden: bool,
}

impl Column {
    /// The name by which `--column` and JSON know it: lower case, and one `_` for anything between letters and digits.
    fn key(&self) -> String {
        key(self.title)
    }
}

/// `--column` names a column that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Failed to find header: {column} (hint: the columns of this table are {known})")]
pub(crate) struct UnknownColumn {
    /// What was asked for.
    column: String,
    /// What there is.
    known: String,
}

/// The part of a table that is shown.
#[derive(Debug)]
pub(crate) struct VisibleTable<'a> {
    table: &'a Table,
    columns: Vec<usize>,
}

impl Table {
    /// The columns that are shown: those of `selected`, or without any those that are not hidden.
    ///
    /// # Errors
    /// When one of them is not in this table.
    pub(crate) fn visible(&self, selected: &[String]) -> Result<VisibleTable<'_>, UnknownColumn> {
        let mut wanted: Vec<bool> = self.columns.iter().map(|c| selected.is_empty() && !c.hidden).collect();
        for name in selected {
            let Some(index) = self.columns.iter().position(|column| column.key() == key(name)) else {
                let known: Vec<_> = self.columns.iter().map(Column::key).collect();
                return Err(UnknownColumn { column: name.clone(), known: known.join(", ") });
            };
            wanted[index] = true;
        }
        let columns = (0..self.columns.len()).filter(|index| wanted[*index]).collect();
        Ok(VisibleTable { table: self, columns })
    }
}

impl VisibleTable<'_> {
    /// Title, header, rows and their number; every cell is followed by two spaces.
    pub(crate) fn decorated(&self, colours: bool) -> String {
        let titles: Vec<&str> = self.columns.iter().map(|index| self.table.columns[*index].title).collect();
        let rows = self.cells();
        let widths = widths(std::iter::once(&titles).chain(&rows));
        let mut text = format!("{}\n\n", self.table.title);
        push_row(&mut text, &titles, &widths, "  ", |cell| {
            if colours { colour::bold(cell) } else { cell.to_owned() }
        });
        for row in &rows {
            push_row(&mut text, row, &widths, "  ", str::to_owned);
        }
        text.push_str(&format!("\n{} {}\n", rows.len(), self.table.content));
        text
    }

    /// The rows alone; every cell is followed by a tab.
    pub(crate) fn rows_only(&self) -> String {
        let rows = self.cells();
        let widths = widths(&rows);
        let mut text = String::new();
        for row in &rows {
            push_row(&mut text, row, &widths, "\t", str::to_owned);
        }
        text
    }

    /// The table in the `--json` document.
    pub(crate) fn to_json(&self) -> TableEntry {
        let keys: Vec<String> = self.columns.iter().map(|index| self.table.columns[*index].key()).collect();
        let title = |index: &usize| self.table.columns[*index].title.to_owned();
        let cells = |row: &Vec<String>| -> BTreeMap<String, String> {
            let cell = |index: &usize| row.get(*index).cloned().unwrap_or_default();
            keys.iter().cloned().zip(self.columns.iter().map(cell)).collect()
        };
        TableEntry {
            content: self.table.content.to_owned(),
            header: keys.iter().cloned().zip(self.columns.iter().map(title)).collect(),
            rows: self.table.rows.iter().map(cells).collect(),
            notes: Vec::new(),
        }
    }

    /// The visible cells as they are printed: an empty one is a dash.
    fn cells(&self) -> Vec<Vec<&str>> {
        let mut rows = Vec::with_capacity(self.table.rows.len());
        for row in &self.table.rows {
            let cell = |index: &usize| row.get(*index).map(String::as_str).filter(|cell| !cell.is_empty());
            rows.push(self.columns.iter().map(|index| cell(index).unwrap_or("-")).collect());
        }
        rows
    }
}

fn key(title: &str) -> String {
    let mut key = String::with_capacity(title.len());
    for character in title.chars() {
        if character.is_ascii_alphanumeric() {
            key.push(character.to_ascii_lowercase());
        } else if !key.ends_with('_') {
            key.push('_');
        }
    }
    if key.is_empty() { "_".to_owned() } else { key }
}

/// The number of characters in the widest cell of each column.
fn widths<'a>(rows: impl IntoIterator<Item = &'a Vec<&'a str>>) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// One line. The last cell is not padded.
fn push_row(text: &mut String, row: &[&str], widths: &[usize], border: &str, style: impl Fn(&str) -> String) {
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        text.push_str(&style(cell));
        if index + 1 < row.len() {
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
        }
        text.push_str(border);
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(digests: bool) -> Table {
        Table {
            title: "Tags",
            content: "tags",
            columns: vec![
                Column { title: "Name", hidden: false },
                Column { title: "Digest", hidden: !digests },
            ],
            rows: vec![
                vec!["latest".to_owned(), if digests { "sha256:aa" } else { "" }.to_owned()],
                vec!["v1".to_owned(), if digests { "sha256:bbbb" } else { "" }.to_owned()],
            ],
        }
    }

    fn selected(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn people_get_title_header_rows_and_their_number() {
        assert_eq!(
            tags(true).visible(&[]).unwrap().decorated(false),
            "Tags\n\nName    Digest  \nlatest  sha256:aa  \nv1      sha256:bbbb  \n\n2 tags\n"
        );
    }

    #[test]
    fn headers_can_be_bold() {
        assert_eq!(
            tags(false).visible(&[]).unwrap().decorated(true),
            "Tags\n\n\x1b[1mName\x1b[0m  \nlatest  \nv1  \n\n2 tags\n"
        );
    }

    #[test]
    fn scripts_get_rows_with_tabs() {
        assert_eq!(
            tags(true).visible(&[]).unwrap().rows_only(),
            "latest\tsha256:aa\t\nv1    \tsha256:bbbb\t\n"
        );
        assert_eq!(tags(false).visible(&[]).unwrap().rows_only(), "latest\t\nv1\t\n");
    }

    #[test]
    fn a_hidden_column_can_be_asked_for_and_its_empty_cells_are_dashes() {
        let table = tags(false);
        assert_eq!(table.visible(&selected(&["DIGEST"])).unwrap().rows_only(), "-\t\n-\t\n");
        assert_eq!(
            table.visible(&selected(&["digest", "name"])).unwrap().rows_only(),
            "latest\t-\t\nv1    \t-\t\n"
        );
    }

    #[test]
    fn an_unknown_column_is_an_error_that_names_the_known_ones() {
        assert_eq!(
            tags(true).visible(&selected(&["bogus"])).unwrap_err().to_string(),
            "Failed to find header: bogus (hint: the columns of this table are name, digest)"
        );
    }

    #[test]
    fn json_has_the_visible_columns_only() {
        let entry = tags(false);
        let entry = entry.visible(&[]).unwrap().to_json();
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
            r#"{"Content":"tags","Header":{"name":"Name"},"Rows":[{"name":"latest"},{"name":"v1"}],"Notes":null}"#
        );
    }

    #[test]
    fn keys_have_one_underscore_between_words() {
        assert_eq!(key("Size (bytes)"), "size_bytes_");
        assert_eq!(key("--"), "_");
    }
}
