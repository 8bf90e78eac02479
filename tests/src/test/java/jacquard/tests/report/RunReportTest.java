package jacquard.tests.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.report.Bars;
import jacquard.clip.report.Chart;
import jacquard.clip.report.Figure;
import jacquard.clip.report.Gallery;
import jacquard.clip.report.HtmlReport;
import jacquard.clip.report.RunReport;
import jacquard.clip.report.Theme;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunReportTest {
  private static final String EVIL = "<script>alert('x')</script>\" onload=\"x & y\u0000";
  @TempDir Path folder;

  private static RunReport run(String text) {
    var shot = new Gallery.Shot(new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB), text, 0.5, true);
    var config = new LinkedHashMap<String, String>();
    config.put("model" + text, text);
    config.put("batch", "256");
    return new RunReport(text, text,
        List.of(Figure.share("zero-shot" + text, 0.5, 0.125), Figure.of("loss", 1.5, text)),
        List.of(Chart.of(text, text, Chart.Series.of(text, 3, 2, 1))),
            List.of(new Bars(text, List.of(new Bars.Bar(text, 1, true)), List.of(), false)),
        List.of(new Gallery(text, List.of(new Gallery.Row(text, List.of(shot), List.of(shot))))),
        "jacquard train" + text, config,
            Map.of("java", text));
  }

  @Test void writesOnePictureAndOnePage() throws IOException {
    run("Emoji").write(folder.resolve("new"));
    run("Emoji").write(folder.resolve("new"));
    var image = ImageIO.read(folder.resolve("new/report.png").toFile());
    assertEquals(2480, image.getWidth());
    assertTrue(image.getHeight() > 1500, "chart, bars and gallery below each other");
    String page = Files.readString(folder.resolve("new/report.html"));
    for (var part : List.of("50.0 %", "12.5 %", "×4", "jacquard train", "<th>batch</th><td>256</td>", "ranked first",
        "prefers-color-scheme: dark")) {
      assertTrue(page.contains(part), part);
    }
    try (var files = Files.list(folder.resolve("new"))) {
      assertEquals(2, files.count(), "no draft is left behind");
    }
  }

  @Test void allTextIsEscaped() {
    String page = run(EVIL).page().lead(EVIL).heading(EVIL).code(EVIL).html();
    assertFalse(page.contains("<script"), "no element comes from text");
    assertFalse(page.contains("\" onload"), "no attribute comes from text");
    assertFalse(page.contains("\u0000"));
    assertTrue(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=&quot;x &amp; y"));
  }

  @Test void thePageNeedsNothingElse() {
    String page = run("Emoji").page().image("picture", new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB)).html();
    assertFalse(page.contains("http:") || page.contains("https:"), "no address");
    for (var forbidden : List.of("<script", "<link", "<iframe", "@import", "url("))
      assertFalse(page.contains(forbidden), forbidden);
    var sources = Pattern.compile("\\b(?:src|srcset|href)=\"([^\"]{0,30})").matcher(page);
    int count = 0;
    for (; sources.find(); count++) assertTrue(sources.group(1).startsWith("data:image/png;base64,"), sources.group());
    assertEquals(2 + 2 + 2 + 1, count, "chart and bars in two themes, two shots, one picture");
  }

  @Test void anEmptyRunIsWrittenToo() throws IOException {
    new RunReport("", "", List.of(), List.of(), List.of(), List.of(), "", Map.of(), Map.of()).write(folder);
    assertTrue(Files.size(folder.resolve("report.png")) > 0);
    assertTrue(HtmlReport.titled("").html().endsWith("</html>\n"));
  }

  @Test void moreGalleriesThanAPictureHoldsAreOnThePage() {
    var row = new Gallery.Row("caption", List.of(), List.of());
    var gallery = new Gallery("many", Collections.nCopies(60, row));
    var run = new RunReport("run", "", List.of(), List.of(), List.of(), List.of(gallery, gallery, gallery, gallery), "",
        Map.of(),
        Map.of());
    assertTrue(run.picture(Theme.LIGHT).getHeight() <= 30_000);
    assertEquals(4 * 60, Pattern.compile("<div class=\"row\">").matcher(run.page().html()).results().count());
  }

  @Test void figuresReadWell() {
    assertEquals("61.2 %", Figure.share("", 0.6123).text());
    assertEquals("0.01 %", Figure.share("", 0.0001).text());
    assertEquals("0.4321", Figure.of("", 0.43214).text());
    assertEquals("21,034 samples/s", Figure.of("", 21034, "samples/s").text());
    assertEquals("12,346", Figure.of("", 12345.67).text());
    assertEquals("1.5e-5", Figure.of("", 1.5e-5).text());
    assertEquals("–", Figure.of("", Double.NaN, "s").text());
    assertEquals("0.01", Figure.of("", 0.01).text());
  }
}
