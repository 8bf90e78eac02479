package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.text.repair.Entities;
import jacquard.clip.text.repair.Repair;
import java.nio.file.Path;
import java.text.Normalizer;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RepairTest {
  /// What ftfy 6.3.1 itself makes of some 500 damaged texts; `repaired.py` beside them wrote both.
  @Test void recordedTexts() throws Exception {
    var cases = new ObjectMapper().readTree(Path.of("src/test/resources/text/repaired.json").toFile());
    for (var c : cases) repairs(c.get(0).asText(), c.get(1).asText());
    assertTrue(cases.size() > 400, cases.size() + " cases");
  }

  @Test void misreadUtf8() {
    repairs("schÃ¶n", "schön");
    repairs("dÃƒÂ©jÃƒÂ  vu", "déjà vu"); // twice
    repairs("Ð¼Ð¾ÑÐºÐ²Ð°", "моÑква"); // a byte is missing, only the parts can be read
    repairs("СЌС‚Рѕ вЂ” С‚РµРєСЃС‚", "это — текст"); // Windows-1251
    repairs("√©t√©", "été"); // Mac OS Roman
    repairs("caf├⌐", "café"); // code page 437
    repairs("voilÃ le travail", "voilà le travail"); // the no-break space became a space
    repairs("â€œ like this â€\ufffd", "\" like this \ufffd"); // a byte was lost
    repairs("\u00ed\u00a0\u00bd\u00ed\u00b8\u0080", "😀"); // surrogates in UTF-8
    repairs("\u0085\u0091C1\u0092", "…'C1'");
  }

  @Test void whatLanguagesWriteStays() {
    for (var t : new String[] {"naïve café, œuvre, Ångström, Ã", "ÀÉÎ «½»", "Привет, Вася", "Ελλάδα", "日本語 한국어",
        "50 € à 3 °C", "¯\\_(ツ)_/¯"})
      repairs(t, t);
  }

  @Test void plainTextIsReturnedAsItIs() {
    var all = new StringBuilder("\t\n");
    for (char c = ' '; c <= '~'; c++) if (c != '&') all.append(c);
    var text = all.toString();
    assertSame(text, Repair.of(text));
    assertSame("", Repair.of(""));
  }

  @Test void singleCharacters() {
    repairs("ﬁﬂ ǆ ŉ ﬅ", "fifl dž 'n ſt");
    repairs("ＦＵＬＬ　ﾃｷｽﾄ", "FULL テキスト");
    repairs("‘a’ “b” ‚c„", "'a' \"b\" 'c\"");
    repairs("a\r\nb\rc\u2028d\u0085", "a\nb\nc\nd…");
    repairs("\u001b[31;1mred\u001b[0m\u001b[٣m \u001b[ \0\u0007\ufeff\u206a!\t\f", "red [ !\t\f");
    repairs("\ud83d\ude00 \ud83d \ude00", "😀 \ufffd \ufffd");
    repairs("e\u0301 \u212b", "é Å");
  }

  @Test void references() {
    repairs("&eacute;&EACUTE; &amp;amp; &#233; &#x80; &hellip;", "éÉ & é € …");
    repairs("&eacute &#59; &NoSuch; &#xd800; &#1;|", "&eacute &#59; &NoSuch; \ufffd |");
    repairs("&lt;\n<b>\n&lt;", "<\n<b>\n&lt;"); // from the line of a tag on they stay
    assertEquals("é &notin ∉ ¬it; \u20ac\r\ufffd",
    Entities.unescaped("&eacute &amp;notin &notin; &notit; &#128;&#13;&#0;&#1;&#xfffe;"));
    assertEquals("&;&#;&#x;& &nosuch;", Entities.unescaped("&;&#;&#x;& &nosuch;"));
  }

  /// A million characters, of the kinds that make a loop over passes, pairs or marks quadratic.
  @Test void longTextsTakeTimeInProportion() {
    int n = 1_000_000;
    var texts = Map.of("layers", "Ã" + "\u0083".repeat(n), "references", "&" + "amp;".repeat(n / 4), "marks",
        "a" + "\u0301\u0316".repeat(n / 2),
        "lines", "Ã\u0083\u0083\u0083\n".repeat(n / 5));
    for (var e : texts.entrySet())
      assertTimeoutPreemptively(Duration.ofSeconds(30), () -> Repair.of(e.getValue()), e.getKey());
    assertEquals("Ã", Repair.of("Ã" + "\u0083".repeat(1000)));
  }

  /// Long runs of marks are ordered by our own hand, short ones by the JDK's: the same order.
  @Test void longRunsOfMarksAreOrdered() {
    var marks = new StringBuilder();
    for (int c = 0x300; c < 0x1e000; c++)
      if (Character.getType(c) == Character.NON_SPACING_MARK) marks.appendCodePoint(c);
    for (var t : new String[] {"a" + marks + "b", "a" + marks.reverse() + "é", marks + "a" + marks})
      assertEquals(Normalizer.normalize(t, Normalizer.Form.NFC), Repair.of(t));
  }

  private static void repairs(String damaged, String repaired) {
    assertEquals(repaired, Repair.of(damaged), () -> damaged);
  }
}
