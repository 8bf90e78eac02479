package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Batches;
import jacquard.clip.data.Framing;
import jacquard.clip.data.source.ChosenCaptions;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.augment.CaptionAugmentation;
import jacquard.clip.text.augment.Synonyms;
import jacquard.clip.text.augment.TokenMasking;
import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What training changes of captions: words of equal meaning by the rules of the table, words left out, tokens masked,
/// and one of several captions.
class CaptionAugmentationTest {
  private static final Synonyms TABLE = Synonyms.table();
  private static final Tokenizer CLIP = ClipTokenizer.clip();

  private static Random key(int i) { return Random.of(7).fold(i); }

  private static Set<String> all(String caption) {
    return IntStream.range(0, 200).mapToObj(i -> TABLE.replace(caption, .9, key(i))).collect(Collectors.toSet());
  }

  @Test void aWordHasTheSynonymsOfItsFirstSenseThatTextsUse() {
    assertEquals(List.of("large"), TABLE.of("big"));
    assertEquals(List.of("rapidly", "speedily"), TABLE.of("quickly"));
    assertEquals(List.of("auto", "automobile", "motorcar"), TABLE.of("car"));
    // of dog there are names and rare words alone
    for (var none : List.of("dog", "red", "two", "the", "left", "paris", "xyzzy", "jumped"))
      assertEquals(List.of(), TABLE.of(none), none);
    // "goods" is a word of its own, not several of good
    assertEquals(List.of(), TABLE.of("goods"));
    assertTrue(TABLE.size() > 20_000);
  }

  @Test void pluralsCapitalsAndArticlesAreKept() {
    assertEquals(Set.of("two cars", "two autos", "two automobiles", "two motorcars"), all("two cars"));
    assertEquals(Set.of("Big", "Large"), all("Big"));
    assertEquals(Set.of("a photograph", "a photo"), all("a photo"));
    assertEquals(Set.of("a car", "an auto", "an automobile", "a motorcar"), all("a car"));
    assertEquals(Set.of("an auto", "a car", "an automobile", "a motorcar"), all("an auto"));
    // names, and words within others
    for (var same : List.of("the Big Apple", "big-eyed dog", "big's", "BIG dog"))
      assertEquals(Set.of(same), all(same));
  }

  /// At most one of five words changes, whatever the probability.
  @Test void oneWordOfFiveChanges() {
    var caption = "big car photo picture big car photo picture big car photo picture";
    int most = 0;
    for (int i = 0; i < 300; i++) {
      var before = caption.split(" ");
      var after = TABLE.replace(caption, .9, key(i)).split(" ");
      assertEquals(before.length, after.length);
      int changed = (int) IntStream.range(0, before.length).filter(k -> !before[k].equals(after[k])).count();
      assertTrue(changed <= 3, changed + " of " + before.length);
      most = Math.max(most, changed);
    }
    assertEquals(3, most);
    long touched = IntStream.range(0, 4000).filter(i -> !TABLE.replace("a big dog", .25, key(i)).equals("a big dog"))
        .count();
    assertEquals(.25, touched / 4000.0, .03);
  }

  @Test void wordsAreLeftOutButOneStays() {
    var a = new CaptionAugmentation(false, 0, .3, 0);
    int words = 0, n = 2000;
    for (int i = 0; i < n; i++) {
      var r = a.words("one  two three four", key(i));
      assertFalse(r.isBlank());
      words += r.strip().split("\\s+").length;
    }
    assertEquals(.7, words / (4.0 * n), .02);
    var nearlyAll = new CaptionAugmentation(false, 0, .99, 0);
    for (int i = 0; i < 50; i++) assertTrue(nearlyAll.words("one two", key(i)).matches("one|two|one two"));
    assertEquals("as  it is", CaptionAugmentation.NONE.words("as  it is", key(1)));
  }

  /// CLIP's vocabulary has no mask: what is masked is left out, and start, end and padding stay.
  @Test void masksAreLeftOutWhereThereAreNone() {
    var masking = new TokenMasking(CLIP);
    var caption = "a small cat on a mat";
    int[] ids = CLIP.tokenize(caption, 12);
    int kept = 0, n = 1000;
    for (int i = 0; i < n; i++) {
      int[] r = masking.of(caption, ids, .15, key(i));
      assertEquals(12, r.length);
      assertEquals(ids[0], r[0]);
      int end = IntStream.range(0, 12).filter(k -> r[k] == ids[7]).findFirst().orElseThrow();
      assertTrue(end >= 2);
      assertTrue(Arrays.stream(r, end + 1, 12).allMatch(id -> id == CLIP.pad()));
      kept += end - 1;
    }
    assertEquals(.85, kept / (6.0 * n), .02);
    // a caption that was cut, and all of it masked
    int[] cut = CLIP.tokenize(caption, 5), one = masking.of(caption, cut, .999999, key(1));
    assertEquals(List.of(cut[0], cut[4], 0, 0), List.of(one[0], one[2], one[3], one[4]));
    assertArrayEquals(CLIP.tokenize("", 5), masking.of("", CLIP.tokenize("", 5), .9, key(1)));
  }

  @Test void shiftsOfProbabilityAreRefused() {
    for (double p : new double[] {-.1, 1, Double.NaN})
      assertThrows(IllegalArgumentException.class, () -> new CaptionAugmentation(false, 0, p, 0));
  }

  /// Three captions of one picture, one of another.
  private record Four() implements Source {
    static final List<String> CAPTIONS = List.of("a cat", "a dog", "a kitten", "my cat");
    @Override public String name() { return "four"; }
    @Override public int size() { return 4; }
    @Override public String caption(int index) { return CAPTIONS.get(index); }
    @Override public Object group(int index) { return index == 1 ? "dog" : "cat"; }
    @Override public Picture picture(int index) {
      return Pixels.filled(4, 4, index == 1 ? 0xFF0000 : 0).picture();
    }
  }

  @Test void oneCaptionOfAPictureIsDrawnAtEachStep() {
    var chosen = ChosenCaptions.of(new Four());
    assertEquals(2, chosen.size());
    var transform = new Transform(PreprocessConfig.ofSize(4));
    var b = new Batches(chosen, transform, Augmentation.DEFAULT, 2, 8, 1);
    var seen = new HashSet<List<Integer>>();
    for (int step = 0; step < 40; step++) {
      var batch = b.at(step);
      for (int i = 0; i < 2; i++) seen.add(Arrays.stream(batch.captions().tokens()[i]).boxed().toList());
      assertArrayEquals(batch.captions().tokens(), new Batches(chosen, transform, Augmentation.DEFAULT, 2, 8, 1)
          .at(step).captions().tokens());
    }
    assertEquals(Four.CAPTIONS.stream().map(c -> Arrays.stream(CLIP.tokenize(c, 8)).boxed().toList())
        .collect(Collectors.toSet()), seen);
    var lines = new CaptionAugmentation(true, 0, 0, 0);
    assertEquals(Set.of("a cat", "a dog"), IntStream.range(0, 50)
        .mapToObj(i -> lines.chosen("a cat\n\n  a dog\n", key(i))).collect(Collectors.toSet()));
    assertEquals("a cat\na dog", CaptionAugmentation.NONE.chosen("a cat\na dog", key(1)));
  }

  /// Ranks together read what one rank reads, and equal captions stay together however their words are changed.
  @Test void allRanksDrawTheSame() {
    var transform = new Transform(PreprocessConfig.ofSize(4));
    var framing = new Framing.Whole(transform, Augmentation.DEFAULT);
    var b = new Batches(new Four(), framing, new CaptionAugmentation(true, .5, .3, .3), CLIP, 4, 8, 3);
    for (int step = 0; step < 5; step++) {
      var whole = b.at(step);
      var parts = List.of(b.at(step, 0, 2, 1), b.at(step, 1, 2, 1));
      for (int i = 0; i < 4; i++) {
        assertArrayEquals(whole.captions().tokens()[i], parts.get(i / 2).captions().tokens()[i % 2]);
        assertEquals(whole.groups()[i], parts.get(i / 2).groups()[i % 2]);
      }
      assertArrayEquals(new Batches(new Four(), transform, Augmentation.DEFAULT, 4, 8, 3).at(step).groups(),
          whole.groups());
    }
  }
}
