package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.text.Cleaning;
import org.junit.jupiter.api.Test;

class CleaningTest {
  private static final String TEXT = " A_Photo\u2003of\t\n “Ångström's”   &amp;lt;b&gt; … ";

  @Test void theKinds() {
    assertEquals("a_photo of \"ångström's\" <b> …", Cleaning.LOWER.of(TEXT));
    assertEquals("A_Photo of \"Ångström's\" <b> …", Cleaning.WHITESPACE.of(TEXT));
    assertEquals("a photo of ångströms b …", Cleaning.CANONICALIZE.of(TEXT));
    assertEquals(TEXT, Cleaning.NONE.of(TEXT));
    for (var c : Cleaning.values()) {
      if (c != Cleaning.NONE) assertEquals("", c.of(" \t\n\u00a0\u2003\u3000\0"));
      assertEquals(c, Cleaning.named(c.toString()));
    }
  }

  @Test void anUnknownNameListsTheKnownOnes() {
    var e = assertThrows(IllegalArgumentException.class, () -> Cleaning.named("upper"));
    assertTrue(e.getMessage().contains("upper") && e.getMessage().contains("canonicalize"), e.getMessage());
  }

  /// Unicode's final sigma: a letter before it and none behind, marks and apostrophes not counting. The JDK takes the
  /// digit for part of the word.
  @Test void finalSigma() {
    assertEquals("οδυσσευς σ ας. ας' α1σ ασ'α σς", Cleaning.LOWER.of("ΟΔΥΣΣΕΥΣ Σ ΑΣ. ΑΣ' Α1Σ ΑΣ'Α ΣΣ"));
    assertEquals("i\u0307stanbul ß dž ꮳ", Cleaning.LOWER.of("İSTANBUL ẞ Ǆ Ꮳ"));
  }
}
