package jacquard.clip.report.log;

import com.google.protobuf.CodedOutputStream;
import jacquard.clip.report.Ink;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/// A TensorBoard event file: scalars, images and text over steps.
///
/// The file is a sequence of TFRecords, `length:u64 mask(crc(length)):u32 data mask(crc(data)):u32`, little endian,
/// with CRC-32C and `mask(c) = rotateRight(c, 15) + 0xa282ead8` (as `tensorflow/core/lib/io/record_writer`); each
/// record is an `Event` message of `tensorflow/core/util/event.proto`, the first one the version of the format. The
/// messages are written by field number.
public final class EventLog implements AutoCloseable {
  private static final String BEGINNING = "events.out.tfevents.";
  private static final int MASK = 0xa282ead8;
  private static final int LENGTH_DELIMITED = 2;
  private final Path file;
  private final FileChannel channel;
  private final InstantSource clock;

  private interface Message { void write(CodedOutputStream out) throws IOException; }

  private EventLog(Path folder, InstantSource clock) throws IOException {
    this.clock = clock;
    Files.createDirectories(folder);
    // Readers take files in the order of their names, so that none may be older than one that is there, whatever a
    // clock says that was set back.
    long now = clock.instant().getEpochSecond(), latest = latest(folder);
    String name = BEGINNING + (now < latest ? latest + 1 : now) + "." + host();
    for (int i = 0; ; i++) {
      Path candidate = folder.resolve(i == 0 ? name : name + "." + i);
      FileChannel opened;
      try {
        opened = FileChannel.open(candidate, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      } catch (FileAlreadyExistsException e) {
        continue;
      }
      file = candidate;
      channel = opened;
      break;
    }
    event(0, out -> out.writeString(3, "brain.Event:2"));
  }

  /// The seconds of the latest event file in a folder; 0 where there is none.
  private static long latest(Path folder) throws IOException {
    try (var all = Files.list(folder)) {
      return all.map(f -> f.getFileName().toString()).filter(n -> n.matches("events\\.out\\.tfevents\\.\\d{1,12}\\..*"))
          .mapToLong(n -> Long.parseLong(n.split("\\.")[3])).max().orElse(0);
    }
  }

  /// Begins an event file `events.out.tfevents.<seconds>.<host>` in a folder.
  public static EventLog create(Path folder) throws IOException { return create(folder, InstantSource.system()); }

  /// As [#create(Path)], with the clock that dates file and events.
  public static EventLog create(Path folder, InstantSource clock) throws IOException {
    return new EventLog(folder, clock);
  }

  /// Begins another file in the folder of a run that goes on after `step`: readers then forget what earlier files say
  /// of later steps.
  public static EventLog resume(Path folder, long step) throws IOException {
    return resume(folder, step, InstantSource.system());
  }

  public static EventLog resume(Path folder, long step, InstantSource clock) throws IOException {
    var log = new EventLog(folder, clock);
    // session_log { status: START }
    log.event(step + 1, out -> nested(out, 7, session -> session.writeEnum(1, 1)));
    return log;
  }

  public Path file() { return file; }

  public void scalar(String tag, long step, double value) { scalars(step, Map.of(tag, value)); }

  /// Several scalars as one event. They are stored in single precision.
  public void scalars(long step, Map<String, ? extends Number> values) {
    event(step, out -> nested(out, 5, summary -> {
      // one order, whatever the map
      for (var value : new TreeMap<>(values).entrySet()) {
        nested(summary, 1, v -> {
          v.writeString(1, value.getKey());
          v.writeFloat(2, value.getValue().floatValue());
        });
      }
    }));
  }

  /// An image, stored as PNG.
  public void image(String tag, long step, BufferedImage image) {
    byte[] png = Ink.png(image);
    event(step, out -> nested(out, 5, summary -> nested(summary, 1, v -> {
      v.writeString(1, tag);
      nested(v, 4, picture -> {
        picture.writeInt32(1, image.getHeight());
        picture.writeInt32(2, image.getWidth());
        picture.writeInt32(3, image.getColorModel().hasAlpha() ? 4 : 3);
        picture.writeByteArray(4, png);
      });
    })));
  }

  /// A text, which TensorBoard renders as Markdown.
  public void text(String tag, long step, String text) {
    event(step, out -> nested(out, 5, summary -> nested(summary, 1, v -> {
      v.writeString(1, tag);
      nested(v, 8, tensor -> {
        tensor.writeEnum(1, 7);                                                                // DT_STRING
        nested(tensor, 2, shape -> nested(shape, 2, extent -> extent.writeInt64(1, 1)));       // [1]
        tensor.writeByteArray(8, text.getBytes(StandardCharsets.UTF_8));
      });
      nested(v, 9, metadata -> {
        nested(metadata, 1, plugin -> plugin.writeString(1, "text"));
        metadata.writeEnum(4, 2);                                                              // DATA_CLASS_TENSOR
      });
    })));
  }

  @Override public void close() throws IOException { channel.close(); }

  private void event(long step, Message body) {
    try {
      var now = clock.instant();
      record(message(out -> {
        out.writeDouble(1, now.getEpochSecond() + now.getNano() / 1e9);
        if (step != 0) out.writeInt64(2, step);
        body.write(out);
      }));
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot write the events of step " + step, e);
    }
  }

  private synchronized void record(byte[] data) throws IOException {
    var bytes = ByteBuffer.allocate(16 + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(data.length).putInt(masked(bytes.array(), 8)).put(data).putInt(masked(data, data.length)).flip();
    while (bytes.hasRemaining()) channel.write(bytes);
  }

  private static int masked(byte[] bytes, int length) {
    var crc = new CRC32C();
    crc.update(bytes, 0, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
  }

  private static void nested(CodedOutputStream out, int field, Message body) throws IOException {
    byte[] bytes = message(body);
    out.writeTag(field, LENGTH_DELIMITED);
    out.writeUInt32NoTag(bytes.length);
    out.writeRawBytes(bytes);
  }

  private static byte[] message(Message body) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = CodedOutputStream.newInstance(bytes);
    body.write(out);
    out.flush();
    return bytes.toByteArray();
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName().replaceAll("[^A-Za-z0-9.-]", "-");
    } catch (IOException e) {
      return "localhost";
    }
  }
}
