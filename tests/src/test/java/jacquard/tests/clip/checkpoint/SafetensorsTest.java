package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter.Source;
import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings =
      {"checkpoints/hub/open_clip_model.safetensors", "checkpoints/sharded/model-00002-of-00002.safetensors",
      "checkpoints/io.safetensors", "losses/losses.safetensors"})
  void writtenAgainItIsTheSameFile(String fixture) throws IOException {
    Path file = Fixtures.file(fixture), bytes = folder.resolve("bytes"), values = folder.resolve("values");
    try (var w = Safetensors.open(file)) {
      var same = new ArrayList<Source>();
      var decoded = new ArrayList<Source>();
      for (String name : w.names()) same.add(Source.of(w, name));
      for (String name : w.names().stream().sorted().toList()) decoded.add(decoded(w, name));
      decoded.sort(SafetensorsWriter.REFERENCE_ORDER);
      Safetensors.write(bytes, w.metadata(), same);
      Safetensors.write(values, w.metadata(), decoded);
    }
    assertEquals(-1, Files.mismatch(file, bytes));
    assertEquals(-1, Files.mismatch(file, values));
  }

  private static Source decoded(Weights w, String name) throws IOException {
    var entry = w.entry(name);
    return new Source(name, entry.stored(), entry.shape(), () -> switch (entry.stored()) {
      case F64 -> w.doubles(name);
      case I64 -> w.longs(name);
      default -> w.floats(name);
    });
  }

  /// Two elements by hand: header, padding and data, byte by byte.
  @Test void layoutIsThatOfTheFormat() throws IOException {
    Path file = folder.resolve("two");
    Safetensors.write(file, Map.of("format", "pt"),
        List.of(Source.floats("a", Shape.of(1, 2), () -> new float[] {1, -2})));
    String header = "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],"
        + "\"data_offsets\":[0,8]}}";
    int padded = (header.length() + 7) / 8 * 8;
    var expected = ByteBuffer.allocate(8 + padded + 8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded);
    expected.put((header + " ".repeat(padded - header.length())).getBytes(StandardCharsets.UTF_8)).putFloat(1)
        .putFloat(-2);
    assertArrayEquals(expected.array(), Files.readAllBytes(file));
    try (var w = Safetensors.open(file)) {
      assertEquals(Type.f32(1, 2), w.type("a"));
      assertEquals(Map.of("format", "pt"), w.metadata());
    }
  }

  @Test void everyElementType() throws IOException {
    Path file = folder.resolve("types");
    float[] x = {0, 1, -1.5f, 0.1f, 65504, 1e-8f, Float.POSITIVE_INFINITY, 3.1415927f};
    Shape shape = Shape.of(2, 2, 2);
    Safetensors.write(file, Map.of(), List.of(
        Source.floats("f64", Stored.F64, shape, () -> x), Source.floats("f32", shape, () -> x),
        Source.floats("f16", Stored.F16, shape,
            () -> x),
        Source.floats("bf16", Stored.BF16, shape, () -> x),
        Source.longs("i64", Shape.of(2), () -> new long[] {Long.MIN_VALUE, 7}),
        new Source("i32", Stored.I32, Shape.of(2), () -> new int[] {Integer.MIN_VALUE, 7}),
        new Source("i16", Stored.I16, Shape.of(2), () -> new short[] {-32768, 7}),
        new Source("i8", Stored.I8, Shape.of(2),
            () -> new byte[] {-128, 7}),
        new Source("u8", Stored.U8, Shape.of(2), () -> new byte[] {-1, 7}), new Source("bool", Stored.BOOL, Shape.of(3),
            () -> new byte[] {0, 1, 1}),
        Source.floats("none", Shape.of(0, 5), () -> new float[0]),
        Source.floats("größe \"1\"", Shape.SCALAR, () -> new float[] {4})));
    try (var w = Safetensors.open(file)) {
      assertArrayEquals(x, w.floats("f64"));
      assertArrayEquals(x, w.floats("f32"));
      float[] half = w.floats("f16"), brain = w.floats("bf16");
      for (int i = 0; i < x.length; i++) {
        assertEquals(Float.float16ToFloat(Float.floatToFloat16(x[i])), half[i]);
        assertEquals(DType.fromBf16(DType.toBf16(x[i])), brain[i]);
      }
      assertArrayEquals(new long[] {Long.MIN_VALUE, 7}, w.longs("i64"));
      assertArrayEquals(new long[] {Integer.MIN_VALUE, 7}, w.longs("i32"));
      assertArrayEquals(new long[] {-32768, 7}, w.longs("i16"));
      assertArrayEquals(new long[] {-128, 7}, w.longs("i8"));
      assertArrayEquals(new long[] {255, 7}, w.longs("u8"));
      assertArrayEquals(new long[] {0, 1, 1}, w.longs("bool"));
      assertEquals(0, w.floats("none").length);
      assertEquals(4, w.floats("größe \"1\"")[0]);
      assertEquals(new Type(DType.I32, Shape.of(2)), w.type("i8"));
      assertTrue(assertThrows(IOException.class, () -> w.floats("i64")).getMessage().contains("expected floats"));
      assertTrue(assertThrows(IOException.class, () -> w.longs("f32")).getMessage().contains("expected whole numbers"));
      assertTrue(assertThrows(IOException.class, () -> w.floats("f33")).getMessage().contains("Did you mean f"));
    }
  }

  @Test void moreThanOneChunk() throws IOException {
    float[] x = new float[700_001];
    for (int i = 0; i < x.length; i++) x[i] = i;
    Path file = folder.resolve("large"), again = folder.resolve("again");
    Safetensors.write(file, Map.of(), List.of(Source.floats("x", Shape.of(x.length), () -> x)));
    try (var w = Safetensors.open(file)) {
      assertArrayEquals(x, w.floats("x"));
      Safetensors.write(again, Map.of(), List.of(Source.of(w, "x")));
    }
    assertEquals(-1, Files.mismatch(file, again));
  }

  @Test void closedIsClosed() throws IOException {
    var w = Safetensors.open(Fixtures.file("checkpoints/io.safetensors"));
    w.close();
    w.close();
    assertThrows(IllegalStateException.class, () -> w.floats("images"));
  }

  @Test void sourcesOutliveTheReader() throws IOException {
    float[] x = {3, 1, 4, 1, 5}, y = new float[3];
    Path file = folder.resolve("mapped");
    Safetensors.write(file, Map.of(), List.of(Source.floats("x", Shape.of(5), () -> x)));
    var w = Safetensors.open(file);
    var bytes = w.bytes("x");
    var first = w.source("x");
    var second = w.source("x");
    w.close();
    first.close();
    second.copy(2, y, 1, 2);
    assertArrayEquals(new float[] {0, 4, 1}, y);
    second.close();
    assertFalse(bytes.scope().isAlive());
  }

  @Test void wrongElementsAreRefusedAndLeaveTheFile() throws IOException {
    Path file = folder.resolve("kept");
    Files.writeString(file, "before");
    for (Source s : List.of(Source.floats("a", Shape.of(3), () -> new float[2]),
        new Source("a", Stored.I64, Shape.of(1),
        () -> new float[1]),
        new Source("a", Stored.F32, Shape.of(1), () -> null)))
      assertThrows(IllegalArgumentException.class, () -> Safetensors.write(file, Map.of(), List.of(s)));
    var twice = Source.floats("a", Shape.SCALAR, () -> new float[1]);
    assertThrows(IllegalArgumentException.class, () -> Safetensors.write(file, Map.of(), List.of(twice, twice)));
    assertEquals("before", Files.readString(file));
    assertEquals(1, folder.toFile().list().length);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,16]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
      "{\"a\":{\"dtype\":\"F8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387906],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "{\"a\":3}", "[]",
          "{}", "{\"a\":",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}",
      "{\"a\":{\"dtype\":{},\"shape\":{},\"data_offsets\":[0,8]}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} x"})
  void unsoundHeadersAreRefused(String header) throws IOException {
    Path file = folder.resolve("unsound.safetensors");
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    Files.write(file, ByteBuffer.allocate(16
        + json.length).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json).putLong(0).array());
    String message = assertThrows(IOException.class, () -> Safetensors.open(file)).getMessage();
    assertTrue(message.startsWith(file.toString()), message);
  }

  @Test void unsoundLengthsAreRefused() throws IOException {
    Path file = folder.resolve("length.safetensors");
    for (long length : new long[] {0, 1, 9, 100_000_001, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
      Files.write(file, ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
      String message = assertThrows(IOException.class, () -> Safetensors.open(file)).getMessage();
      assertTrue(message.startsWith(file.toString()), message);
    }
    Files.write(file, new byte[7]);
    assertThrows(IOException.class, () -> Safetensors.open(file));
    assertThrows(IOException.class, () -> Safetensors.open(folder));
    assertThrows(IOException.class, () -> Safetensors.open(folder.resolve("absent")));
  }

  /// A damaged file opens as sound or fails with its name; what opens is read without a fault. Every seed is a case of
  /// its own.
  @Test void damagedFilesNeverCrash() throws IOException {
    byte[] sound = Files.readAllBytes(Fixtures.file("checkpoints/io.safetensors"));
    int headerEnd = 8 + (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Path file = folder.resolve("damaged.safetensors");
    int refused = 0;
    for (int seed = 0; seed < 1500; seed++) {
      var random = new SplittableRandom(seed);
      byte[] bytes = sound.clone();
      if (seed % 3 == 0) bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
      for (int i = 0; i < (seed % 3 == 0 ? 0 : 1 + random.nextInt(4)); i++) {
        int at = seed % 3 == 1 ? random.nextInt(headerEnd) : 8 + random.nextInt(headerEnd - 8);
        bytes[at] = (byte) (seed % 2 == 0 ? random.nextInt(256) : "0123456789[]{},:\"".charAt(random.nextInt(17)));
      }
      Files.write(file, bytes);
      try (var w = Safetensors.open(file)) {
        for (String name : w.names()) {
          if (w.entry(name).stored().floating()) w.floats(name);
          else w.longs(name);
        }
      } catch (IOException e) {
        assertTrue(e.getMessage().startsWith(file.toString()), "seed " + seed + ": " + e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > 1000, refused + " of 1500 refused");
  }

  @Test void shardsAreOneSetOfWeights() throws IOException {
    try (var whole = Weights.open(Fixtures.file("checkpoints/hub"));
        var shards = Weights.open(Fixtures.file("checkpoints/sharded"))) {
      assertEquals(whole.names().stream().sorted().toList(), shards.names().stream().sorted().toList());
      for (String name : whole.names()) {
        assertEquals(whole.type(name), shards.type(name));
        assertArrayEquals(whole.floats(name), shards.floats(name), name);
      }
      assertThrows(IOException.class, () -> shards.floats("absent"));
    }
    assertThrows(IOException.class, () -> Weights.open(folder));
  }

  @Test void shardsOutsideTheFolderAreRefused() throws IOException {
    Path inner = Files.createDirectories(folder.resolve("inner")), index =
        inner.resolve("model.safetensors.index.json");
    Safetensors.write(folder.resolve("secret.safetensors"), Map.of(),
        List.of(Source.floats("a", Shape.SCALAR, () -> new float[1])));
    Files.copy(folder.resolve("secret.safetensors"), inner.resolve("own.safetensors"));
    for (String name : List.of("../secret.safetensors", folder.resolve("secret.safetensors").toString(),
        "..\\secret.safetensors", "..", "",
        "C:x.safetensors",
        "a/../../secret.safetensors", ".safetensors", "x.pt")) {
      Files.writeString(index, Fixtures.JSON.writeValueAsString(Map.of("weight_map", Map.of("a", name))));
      String message = assertThrows(IOException.class, () -> Weights.open(index), name).getMessage();
      assertTrue(message.contains(index.toString()) && message.contains("plain name"), message);
    }
    Files.writeString(index, "{\"weight_map\":{\"a\":\"own.safetensors\",\"b\":\"own.safetensors\"}}");
    assertTrue(assertThrows(IOException.class, () -> Weights.open(index)).getMessage().contains("no tensor b"));
    Files.writeString(index, "{\"weight_map\":{\"a\":\"gone.safetensors\"}}");
    assertTrue(assertThrows(IOException.class, () -> Weights.open(index)).getMessage().contains("gone.safetensors"));
    Files.writeString(index, "{\"weight_map\":{\"a\":\"own.safetensors\"}}");
    try (var w = Weights.open(inner)) {
      assertEquals(List.of("a"), w.names());
    }
  }
}
