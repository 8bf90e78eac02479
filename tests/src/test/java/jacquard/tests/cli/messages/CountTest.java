package jacquard.tests.cli.messages;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.settings.Count;
import org.junit.jupiter.api.Test;

/// One of a thing is said as one.
class CountTest {
  @Test void oneIsNotSeveral() {
    assertEquals("1 shard", Count.of(1, "shard"));
    assertEquals("0 shards", Count.of(0, "shard"));
    assertEquals("1,234 shards", Count.of(1234, "shard"));
    assertEquals("1 shard ends", Count.of(1, "shard ends", "shards end"));
    assertEquals("2 shards end", Count.of(2, "shard ends", "shards end"));
    assertEquals("1 of 3 pictures", Count.some(1, 3, "picture"));
    assertEquals("1 of 1 picture", Count.some(1, 1, "picture"));
  }
}
