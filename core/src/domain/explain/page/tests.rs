use jiff::civil::date;

use super::*;
use crate::domain::explain::Line;

fn hostile() -> Page {
    let law = Law::built_in();
    let mut page = Page::of_day(&law, date(2026, 11, 24));
    page.explanations.truncate(1);
    page.explanations[0].name = "<script>|\"*&".to_owned();
    let line = Line::new(Phrase::same("<img src=x onerror='y'> | `code`\n# head"));
    page.explanations[0].sections[0].lines = vec![line];
    page
}

#[test]
fn nothing_that_the_law_says_is_read_as_html() {
    let html = hostile().html(Language::Chinese);
    assert!(html.contains("&lt;script&gt;|&quot;*&amp;"));
    assert!(html.contains("&lt;img src=x onerror=&#39;y&#39;&gt;"));
    for tag in ["<script", "<img", "<link", "src=\"", "http"] {
        assert!(!html.contains(tag), "{tag}");
    }
}

#[test]
fn nothing_that_the_law_says_is_read_as_markdown() {
    let markdown = hostile().markdown(Language::Chinese);
    assert!(markdown.contains("&lt;script&gt;\\|\"\\*&amp;"));
    assert!(markdown.contains("&lt;img src=x onerror='y'&gt; \\| \\`code\\` \\# head |"));
}

/// A cell that tears its row apart would shift what a lawyer reads under another heading.
#[test]
fn every_row_of_a_markdown_table_has_the_cells_of_its_heading() {
    let law = Law::built_in();
    for language in [Language::English, Language::Chinese, Language::Both] {
        for line in Page::of_day(&law, date(2026, 11, 24)).markdown(language).lines() {
            if line.starts_with('|') {
                let bars = line.replace("\\|", "").matches('|').count();
                assert!([3, 7].contains(&bars), "{line}");
            }
        }
    }
}

#[test]
fn every_element_of_the_html_is_closed_and_every_link_leads_somewhere() {
    let law = Law::built_in();
    let html = Page::of_day(&law, date(2026, 11, 24)).html(Language::Both);
    let names = ["html", "head", "body", "nav", "section", "table", "tbody", "tr", "td", "th"];
    for name in names.into_iter().chain(["ul", "li", "h2", "h3", "code", "small", "style", "title"])
    {
        let opened =
            html.matches(&format!("<{name}>")).count() + html.matches(&format!("<{name} ")).count();
        let closed = html.matches(&format!("</{name}>")).count();
        assert!(opened > 0 && opened == closed, "{name}: {opened} and {closed}");
    }
    let links: Vec<_> = html.split("href=\"#").skip(1).collect();
    assert_eq!(links.len(), law.on(date(2026, 11, 24)).documents.len());
    for link in links {
        let target = link.split('"').next().unwrap();
        assert!(html.contains(&format!("<section id=\"{target}\">")), "{target}");
    }
}

#[test]
fn a_book_alone_says_only_what_it_adds() {
    let law = Law::built_in();
    let book = law.books().iter().find(|book| book.name == "prison_law_2026").unwrap();
    let text = Page::of_book(&law, book).markdown(Language::Chinese);
    assert!(text.starts_with("# prison\\_law\\_2026（2026-11-01起施行）"));
    assert!(text.contains("## 死亡通知（补充） `death_notice`"));
    assert!(text.contains("撤销假释裁定"));
    assert!(!text.contains("自收到之日起30日内"), "the thirty days are the Act's");
    assert!(text.contains("| N15 |"));
}

#[test]
fn what_was_recalled_is_marked() {
    let law = Law::built_in();
    let text = Page::of_day(&law, date(2026, 11, 24)).markdown(Language::Chinese);
    assert!(text.contains("| 2020办法 16（未核对） |"));
    assert!(text.contains("| 社区矫正法 47 |"));
}
