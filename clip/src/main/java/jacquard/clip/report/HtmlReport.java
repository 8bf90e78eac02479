package jacquard.clip.report;

import jacquard.clip.checkpoint.files.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/// A page in one file: style within, images as data, no script and nothing fetched. It follows the reader's light or
/// dark setting. Every text given is escaped.
public final class HtmlReport {
  private static final String STYLE = """
      :root { color-scheme: light dark; --paper: #fff; --ink: #1f2430; --faint: #6b7280; --rule: #e6e8ec;
        --panel: #f5f6f8; --right: #23915f; --wrong: #cf4b4b; }
      @media (prefers-color-scheme: dark) {
        :root { --paper: #171a21; --ink: #e7e9ee; --faint: #9aa1ad; --rule: #2e333d; --panel: #20242d; --right: #44b981; --wrong: #e8706d; }
      }
      body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 84rem; background: var(--paper); color: var(--ink);
        font: 15px/1.5 system-ui, sans-serif; }
      h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
      h2 { margin: 2.75rem 0 1rem; font-size: 1.15rem; }
      .lead, .note { margin: .4rem 0 0; color: var(--faint); }
      .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .75rem;
        margin: 1.75rem 0 0; padding: 0; list-style: none; }
      .figures li { padding: .8rem 1rem; border-radius: .6rem; background: var(--panel); }
      .figures b { display: block; font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
      .figures small { font-size: .8rem; font-weight: 400; color: var(--faint); }
      .figures span { display: block; font-size: .85rem; }
      .figures .note { margin: 0; }
      .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.25rem; align-items: start; }
      .charts img { display: block; width: 100%; border: 1px solid var(--rule); border-radius: .6rem; box-sizing: border-box; }
      .note + .row { margin-top: .8rem; }
      .row { padding: .8rem 0 1rem; border-top: 1px solid var(--rule); }
      .row h3 { margin: 0 0 .6rem; font-size: .95rem; text-align: left; }
      .shots { display: flex; flex-wrap: wrap; gap: .5rem 2rem; }
      .shots > div { display: flex; flex-wrap: wrap; gap: .5rem; }
      .shots p { flex-basis: 100%; margin: 0; font-size: .75rem; color: var(--faint); }
      figure { margin: 0; width: 6.4rem; text-align: center; font-size: .75rem; }
      figure img { display: block; width: 6rem; height: 6rem; object-fit: contain; border: .2rem solid var(--rule);
        border-radius: .35rem; background: var(--panel); }
      figure img.small { image-rendering: pixelated; }
      figcaption b { display: block; font-variant-numeric: tabular-nums; }
      figcaption span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--faint); }
      .right img { border-color: var(--right); } .right b { color: var(--right); }
      .wrong img { border-color: var(--wrong); } .wrong b { color: var(--wrong); }
      .answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.25rem; }
      .answer { display: flex; gap: 1rem; padding: 1rem; border-radius: .6rem; background: var(--panel); }
      .answer img { width: 9rem; height: 9rem; object-fit: contain; flex: none; }
      .answer ol { flex: 1; margin: 0; padding: 0; list-style: none; font-size: .85rem; min-width: 0; }
      .answer li:first-child { font-weight: 600; }
      .answer i { display: block; height: .3rem; margin: .1rem 0 .45rem; border-radius: .15rem; background: var(--faint); }
      .answer li:first-child i { background: var(--right); }
      .table { overflow-x: auto; }
      table { border-collapse: collapse; }
      th, td { padding: .3rem 1.5rem .3rem 0; border-bottom: 1px solid var(--rule); text-align: left;
        vertical-align: top; overflow-wrap: anywhere; }
      th { font-weight: 500; color: var(--faint); white-space: nowrap; }
      td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
      pre { padding: .9rem 1.1rem; border-radius: .6rem; background: var(--panel); overflow-x: auto;
        font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
      """;
  private final String title;
  private final StringBuilder body = new StringBuilder();
  private int again;

  private HtmlReport(String title) {
    this.title = title;
    body.append("<h1>").append(escape(title)).append("</h1>\n");
  }

  public static HtmlReport titled(String title) { return new HtmlReport(title); }

  /// The page is loaded anew every so many seconds.
  public HtmlReport again(int seconds) {
    again = seconds;
    return this;
  }

  /// A sentence under the title or a heading.
  public HtmlReport lead(String text) { return add("<p class=\"lead\" dir=\"auto\">" + escape(text) + "</p>\n"); }

  public HtmlReport heading(String text) { return add("<h2>" + escape(text) + "</h2>\n"); }

  /// The figures as tiles, each with the level of chance where there is one.
  public HtmlReport tiles(List<Figure> figures) {
    add("<ul class=\"figures\">\n");
    for (var f : figures) {
      add("<li><b>" + escape(f.bare(f.value())) + (f.unit().isEmpty() ? "" : " <small>" + escape(f.unit()) + "</small>")
          + "</b><span>"
          + escape(f.name()) + "</span>");
      if (f.chance().isPresent()) add("<span class=\"note\">chance " + escape(f.chanceText()) + "</span>");
      add("</li>\n");
    }
    return add("</ul>\n");
  }

  /// The figures as a table: name, value, level of chance, and how many times chance it is.
  public HtmlReport figures(List<Figure> figures) {
    add("<div class=\"table\"><table>\n<tr><th>figure</th><th>value</th><th>chance</th><th>times chance</th></tr>\n");
    for (var f : figures) {
      double times = f.value() / f.chance().orElse(Double.NaN);
      add("<tr><td>" + escape(f.name()) + "</td><td class=\"number\">" + escape(f.text()) + "</td><td class=\"number\">"
          + escape(f.chanceText())
          + "</td><td class=\"number\">"
          + (Double.isFinite(times) ? "×" + escape(Figure.number(Math.round(times * 10) / 10.0)) : "")
          + "</td></tr>\n");
    }
    return add("</table></div>\n");
  }

  /// Charts side by side, in the colours of the reader's setting.
  public HtmlReport charts(List<Chart> charts, List<Bars> bars) {
    add("<div class=\"charts\">\n");
    for (var c : charts) picture(c.title(), c.draw(), c.draw(Chart.WIDTH, Chart.HEIGHT, Theme.DARK));
    for (var b : bars) picture(b.title(), b.draw(Chart.WIDTH, Theme.LIGHT), b.draw(Chart.WIDTH, Theme.DARK));
    return add("</div>\n");
  }

  /// One picture at full width.
  public HtmlReport image(String alternative, BufferedImage image) {
    return add("<div class=\"charts\"><img alt=\"" + escape(alternative) + "\" src=\"" + data(image) + "\"></div>\n");
  }

  /// A gallery whose captions are text and whose images keep their own pixels.
  public HtmlReport gallery(Gallery gallery) {
    heading(gallery.title());
    add("<p class=\"note\">Green: belongs to the caption. Red: ranked first but does not belong, or ranked last but does.</p>\n");
    for (var row : gallery.rows()) {
      add("<div class=\"row\"><h3 dir=\"auto\">" + escape(row.caption()) + "</h3><div class=\"shots\">\n");
      shots("ranked first", row.best(), true);
      shots("ranked last", row.worst(), false);
      add("</div></div>\n");
    }
    return this;
  }

  /// A picture and what it was taken for.
  ///
  /// @param name the picture's
  /// @param guesses shares of one by what they are of, the greatest first
  public record Answer(BufferedImage image, String name, Map<String, Double> guesses) {}

  /// Pictures beside what they were taken for, each with a bar as long as its share.
  public HtmlReport answers(List<Answer> answers) {
    add("<div class=\"answers\">\n");
    for (var a : answers) {
      add("<div class=\"answer\"><img alt=\"" + escape(a.name) + "\" src=\"" + data(thumbnail(a.image, 288))
          + "\"><ol>\n");
      a.guesses.forEach((text, share) -> add("<li><span dir=\"auto\">" + escape(text) + "</span> "
          + Figure.percent(share) + "<i style=\"width: " + Math.clamp(Math.round(100 * share), 1, 100)
          + "%\"></i></li>\n"));
      add("</ol></div>\n");
    }
    return add("</div>\n");
  }

  /// Names and values, such as a configuration or an environment.
  public HtmlReport table(Map<String, ?> entries) {
    add("<div class=\"table\"><table>\n");
    entries.forEach((name, value) ->
        add("<tr><th>" + escape(name) + "</th><td>" + escape(String.valueOf(value)) + "</td></tr>\n"));
    return add("</table></div>\n");
  }

  /// A table of texts; all columns but the first are aligned as numbers where they begin with a digit.
  public HtmlReport grid(List<String> head, List<List<String>> rows) {
    add("<div class=\"table\"><table>\n<tr>");
    head.forEach(h -> add("<th>" + escape(h) + "</th>"));
    add("</tr>\n");
    for (var row : rows) {
      add("<tr>");
      for (var cell : row)
        add((cell.matches("[\\d–-].*") ? "<td class=\"number\">" : "<td>") + escape(cell) + "</td>");
      add("</tr>\n");
    }
    return add("</table></div>\n");
  }

  /// Text as it is, such as a command.
  public HtmlReport code(String text) { return add("<pre>" + escape(text) + "</pre>\n"); }

  /// The whole page.
  public String html() {
    return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        + (again > 0 ? "<meta http-equiv=\"refresh\" content=\"" + again + "\">\n" : "")
        + "<title>" + escape(title) + "</title>\n<style>\n" + STYLE + "</style>\n</head>\n<body>\n" + body
        + "</body>\n</html>\n";
  }

  /// Writes the page; a file of that name is replaced whole or not at all.
  public void write(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    AtomicFile.write(file, html().getBytes(StandardCharsets.UTF_8));
  }

  private HtmlReport add(String html) {
    body.append(html);
    return this;
  }

  private void picture(String alternative, BufferedImage light, BufferedImage dark) {
    add("<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"" + data(dark) + "\"><img alt=\""
        + escape(alternative)
        + "\" src=\""
        + data(light) + "\"></picture>\n");
  }

  private void shots(String name, List<Gallery.Shot> shots, boolean best) {
    if (shots.isEmpty()) return;
    add("<div><p>" + name + "</p>\n");
    for (var shot : shots) {
      var verdict = Gallery.Verdict.of(shot, best);
      String kind = switch (verdict) { case RIGHT -> " class=\"right\""; case WRONG -> " class=\"wrong\"";
          case EXPECTED -> ""; };
      String mark = switch (verdict) { case RIGHT -> " ✓"; case WRONG -> " ✗"; case EXPECTED -> ""; };
      boolean small = Math.max(shot.image().getWidth(), shot.image().getHeight()) <= 96;
      add("<figure" + kind + "><img" + (small ? " class=\"small\"" : "") + " alt=\"" + escape(shot.label())
          + "\" src=\""
          + data(thumbnail(shot.image(), 192))
          + "\"><figcaption><b>" + Gallery.score(shot.score()) + mark + "</b><span dir=\"auto\" title=\""
          + escape(shot.label()) + "\">"
          + escape(shot.label())
          + "</span></figcaption></figure>\n");
    }
    add("</div>\n");
  }

  // A photograph as large as it is shown on a dense screen; more would only make the page heavy.
  private static BufferedImage thumbnail(BufferedImage image, int pixels) {
    if (Math.max(image.getWidth(), image.getHeight()) <= pixels) return image;
    var ink = new Ink(pixels / 2, pixels / 2, Theme.LIGHT);
    ink.image(image, 0, 0, pixels / 2);
    return ink.image;
  }

  private static String data(BufferedImage image) {
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(Ink.png(image));
  }

  static String escape(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> out.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? '\uFFFD' : c);
      }
    }
    return out.toString();
  }
}
