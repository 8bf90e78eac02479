package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What a training decides of what it reads: order, augmentation, groups.
class EpochsTest {
  static Batches batches(long seed) {
    var config = ClipConfig.parse(PoliciesTest.CONFIG);
    return new Batches(new First(EmojiSource.training(), 50), new Transform(HubConfig.preprocess(config)),
        Augmentation.DEFAULT.scale(0.5, 1), 8, 8, seed);
  }

  private static List<Integer> epoch(Batches b, long number) {
    return IntStream.range(0, (int) b.perEpoch()).boxed()
        .flatMap(s -> Arrays.stream(b.at(number * b.perEpoch() + s).samples()).boxed()).toList();
  }

  /// Every epoch has an order of its own, none a sample twice, and the remainder is another one each time.
  @Test void everyEpochIsShuffledAnew() {
    var b = batches(1);
    var left = new HashSet<HashSet<Integer>>();
    var orders = new HashSet<List<Integer>>();
    for (long e = 0; e < 4; e++) {
      var order = epoch(b, e);
      assertEquals(48, new HashSet<>(order).size());
      orders.add(order);
      var rest = new HashSet<>(IntStream.range(0, 50).boxed().toList());
      rest.removeAll(order);
      left.add(rest);
    }
    assertEquals(4, orders.size());
    assertTrue(left.size() > 1, "the same pairs are always left out");
    assertEquals(epoch(b, 2), epoch(batches(1), 2), "an order depends on what was read before");
    assertFalse(epoch(b, 0).equals(epoch(batches(2), 0)));
  }

  /// A picture is cut and coloured anew at every step, and in the same way when the step is read again.
  @Test void everyStepIsAugmentedAnew() {
    var b = batches(1);
    var first = b.at(0);
    int sample = first.samples()[0], each = 32 * 32 * 3;
    for (long s = b.perEpoch(); s < 2 * b.perEpoch(); s++) {
      var batch = b.at(s);
      int at = IntStream.range(0, batch.count()).filter(i -> batch.samples()[i] == sample).findFirst().orElse(-1);
      if (at < 0) continue;
      assertFalse(Arrays.equals(first.pictures().rows(), 0, each, batch.pictures().rows(), at * each, at * each + each),
          "the same cut in two epochs");
      assertArrayEquals(batch.pictures().rows(), batches(1).at(s).pictures().rows());
      return;
    }
    throw new AssertionError("sample " + sample + " is not in the second epoch; take another seed");
  }

  /// Groups are equal where captions are, whatever the order in which they are read.
  @Test void groupsTellCaptionsApart() {
    var source = EmojiSource.training();
    var transform = new Transform(HubConfig.preprocess(ClipConfig.parse(PoliciesTest.CONFIG)));
    var b = new Batches(source, transform, Augmentation.DEFAULT, 2000, 8, 1).at(3);
    int equal = 0;
    for (int i = 0; i < 300; i++)
      for (int j = 0; j < b.count(); j++) {
        boolean same = source.caption(b.samples()[i]).equals(source.caption(b.samples()[j]));
        assertEquals(same, b.groups()[i] == b.groups()[j]);
        if (same && i != j) equal++;
      }
    assertTrue(equal > 0, "no caption twice");
  }
}
