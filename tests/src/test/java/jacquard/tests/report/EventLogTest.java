package jacquard.tests.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import jacquard.clip.report.log.EventLog;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Reads the files back with a reader of its own: framing and checksums by the letter, messages by field number.
class EventLogTest {
  private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000L, 500_000_000));
  @TempDir Path folder;

  @Test void theCheckIsThatOfTheStandard() {
    // The check value of CRC-32C (Castagnoli).
    assertEquals(0xe3069283, crc("123456789".getBytes()));
  }

  @Test void readsBackScalarsImagesAndText() throws IOException {
    var image = new BufferedImage(5, 3, BufferedImage.TYPE_INT_RGB);
    image.setRGB(4, 2, 0x123456);
    Path file;
    try (var log = EventLog.create(folder, CLOCK)) {
      log.scalar("loss/train", 7, 0.25);
      log.scalars(8, Map.of("b", 2, "a", 1.5));
      log.image("gallery", 9, image);
      log.text("config", 10, "**猫**");
      file = log.file();
    }
    assertTrue(file.getFileName().toString().startsWith("events.out.tfevents.1700000000."), file.toString());
    var events = events(file);
    assertEquals(5, events.size());
    assertEquals("brain.Event:2", string(events.getFirst(), 3));
    for (var event : events)
      assertEquals(1_700_000_000.5, Double.longBitsToDouble(event.getField(1).getFixed64List().getFirst()));

    assertEquals(7, integer(events.get(1), 2));
    var loss = values(events.get(1)).getFirst();
    assertEquals("loss/train", string(loss, 1));
    assertEquals(0.25f, number(loss));

    assertEquals(List.of("a", "b"), values(events.get(2)).stream().map(v -> string(v, 1)).toList());
    assertEquals(List.of(1.5f, 2f), values(events.get(2)).stream().map(EventLogTest::number).toList());

    var picture = message(values(events.get(3)).getFirst(), 4);
    assertArrayEquals(new long[] {3, 5, 3}, new long[] {integer(picture, 1), integer(picture, 2), integer(picture, 3)});
    var decoded = ImageIO.read(new ByteArrayInputStream(bytes(picture, 4).toByteArray()));
    assertEquals(0xff123456, decoded.getRGB(4, 2));

    var text = values(events.get(4)).getFirst();
    assertEquals("**猫**", string(message(text, 8), 8));
    assertEquals(7, integer(message(text, 8), 1));
    assertEquals("text", string(message(message(text, 9), 1), 1));
  }

  @Test void resumingSaysFromWhereToForget() throws IOException {
    Path first, second;
    try (var log = EventLog.create(folder, CLOCK)) {
      first = log.file();
    }
    try (var log = EventLog.resume(folder, 60, CLOCK)) {
      second = log.file();
    }
    assertNotEquals(first, second, "two files of one second");
    var start = events(second).get(1);
    assertEquals(61, integer(start, 2));
    assertEquals(1, integer(message(start, 7), 1));
  }

  /// Readers take files by their names: a later one stands behind the others, though the clock was set back.
  @Test void aClockThatWasSetBack() throws IOException {
    try (var first = EventLog.create(folder, CLOCK);
        var second = EventLog.resume(folder, 60, InstantSource.fixed(Instant.ofEpochSecond(1_600_000_000L)));
        var third = EventLog.resume(folder, 70, InstantSource.fixed(Instant.ofEpochSecond(1_500_000_000L)))) {
      var names = List.of(first.file(), second.file(), third.file());
      assertEquals(names, names.stream().sorted().toList());
    }
  }

  private static List<UnknownFieldSet> events(Path file) throws IOException {
    var in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    var events = new ArrayList<UnknownFieldSet>();
    while (in.hasRemaining()) {
      byte[] length = new byte[8];
      in.get(in.position(), length);
      int size = Math.toIntExact(in.getLong());
      assertEquals(masked(length), in.getInt(), "checksum of the length of record " + events.size());
      byte[] data = new byte[size];
      in.get(data);
      assertEquals(masked(data), in.getInt(), "checksum of record " + events.size());
      events.add(UnknownFieldSet.parseFrom(data));
    }
    return events;
  }

  private static int masked(byte[] data) {
    int crc = crc(data);
    return ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
  }

  /// CRC-32C bit by bit: reflected polynomial 0x82f63b78.
  private static int crc(byte[] data) {
    int crc = ~0;
    for (byte b : data) {
      crc ^= b & 0xff;
      for (int i = 0; i < 8; i++) crc = (crc >>> 1) ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
    }
    return ~crc;
  }

  private static List<UnknownFieldSet> values(UnknownFieldSet event) throws IOException {
    var values = new ArrayList<UnknownFieldSet>();
    for (var v : message(event, 5).getField(1).getLengthDelimitedList()) values.add(UnknownFieldSet.parseFrom(v));
    return values;
  }

  private static UnknownFieldSet message(UnknownFieldSet set,
      int field) throws IOException { return UnknownFieldSet.parseFrom(bytes(set, field)); }

  private static ByteString bytes(UnknownFieldSet set, int field) {
    return set.getField(field).getLengthDelimitedList().getFirst();
  }

  private static String string(UnknownFieldSet set, int field) { return bytes(set, field).toStringUtf8(); }

  private static long integer(UnknownFieldSet set, int field) { return set.getField(field).getVarintList().getFirst(); }

  private static float number(UnknownFieldSet value) {
    return Float.intBitsToFloat(value.getField(2).getFixed32List().getFirst());
  }
}
