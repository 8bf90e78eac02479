package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Preparation;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.ShardNames;
import jacquard.clip.data.shards.ShardSource;
import jacquard.clip.data.shards.Shards;
import jacquard.tensor.Random;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardsTest {
  private static final Random DRAW = Random.of(1);
  @TempDir Path folder;

  private Path shard(String name, byte[] tar) throws IOException { return Files.write(folder.resolve(name), tar); }
  static Shards open(Fields fields, Path... shards) throws IOException {
    return Shards.open("set", List.of(new Shards.From(Arrays.stream(shards).map(Path::toString).toList(), 1)), fields);
  }
  static Shards open(Path... shards) throws IOException { return open(Fields.DEFAULT, shards); }

  private static List<String> keys(Shards s) throws IOException {
    var r = new ArrayList<String>();
    for (long i = 0; i < s.size(); i++) r.add(s.key(i));
    return r;
  }

  @Test void namesExpandAsInPython() {
    Map<String, List<String>> cases = Map.of("{0..3}.tar", List.of("0.tar", "1.tar", "2.tar", "3.tar"), "{08..10}",
        List.of("08", "09", "10"), "{1..9..3}", List.of("1", "4", "7"), "{3..1}", List.of("3", "2", "1"),
        "{a,b}{0..1}", List.of("a0", "a1", "b0", "b1"), "{x}.tar", List.of("{x}.tar"), "x{a,{b,c}d}",
        List.of("xa", "xbd", "xcd"), "{a..c}", List.of("a", "b", "c"), "a{b", List.of("a{b"), "a::b{1,2}",
        List.of("a", "b1", "b2"));
    cases.forEach((text, names) -> assertEquals(names, ShardNames.expand(text, _ -> null), text));
    assertEquals(List.of("/there/0.tar", "/there/1.tar"),
        ShardNames.expand("${root}/{0..1}.tar", Map.of("WDS_root", "${base}", "WDS_base", "/there")::get));
    assertThrows(IllegalArgumentException.class, () -> ShardNames.expand("${nowhere}/0.tar", _ -> null));
    assertThrows(IllegalArgumentException.class, () -> ShardNames.expand("{0..99999999999}", _ -> null));
    assertThrows(IllegalArgumentException.class, () -> ShardNames.expand("{0..3000}{0..3000}", _ -> null));
    for (var s : List.of("a.tar", "{0..3}.tar", "a.tar::b", "{a.tar,b.tar}")) assertTrue(ShardNames.in(s), s);
    for (var s : List.of("a.csv", "a.target/pictures", "emoji")) assertFalse(ShardNames.in(s), s);
  }

  /// First dot, small letters, folders, a repeated extension, entries left out.
  @Test void entriesBecomeSamples() throws IOException {
    var s = open(shard("0.tar", new Tar().file("__meta__", "x").file("d/__meta__/a.txt",
        "kept, only the beginning counts").file("d/a.seg.png", "no picture").file("d/a.JPG", "p").file("d/a.txt", "t")
        .file("c.jpg", "1").file("c.jpg", "2").file("c.txt", "t").file(".hidden", "x").file("plain", "x").file("e.jpg",
        "p").entry('5', "", "d/", Tar.octal(0), new byte[0]).file("f.txt", "t").file("f.png", "p").end()));
    assertEquals(List.of("d/a", "c", "f"), keys(s));
    assertEquals(Map.of("without a caption", 2L, "without a picture", 1L), s.lost());
    assertArrayEquals("2".getBytes(), s.file(1));
  }

  /// A shard's end ends its sample.
  @Test void aShardEndsItsSample() throws IOException {
    var s = open(shard("0.tar", new Tar().file("z.jpg", "0").end()),
        shard("1.tar", new Tar().file("z.txt", "t").file("y.jpg", "p").file("y.txt", "t").end()));
    assertEquals(List.of("y"), keys(s));
  }

  @Test void longNamesAndSizesOfEveryKind() throws IOException {
    var longName = "n".repeat(150);
    byte[] base256 = new byte[12];
    base256[0] = (byte) 0x80;
    base256[11] = 3;
    var pax = "%d path=pax/%s.txt\n".formatted(0, longName);
    int length = pax.length() + 2;
    var record = "%d path=pax/%s.txt\n".formatted(length, longName);
    var sized = "10 size=3\n";
    var s = open(shard("0.tar", new Tar()
        .entry('L', "", "././@LongLink", Tar.octal(longName.length() + 5), (longName + ".jpg\0").getBytes())
        .file("short.jpg", "gnu").entry('0', "", longName.substring(0, 90) + ".txt", base256, "256".getBytes())
        .entry('0', "prefix", "a.jpg", Tar.octal(1), "p".getBytes())
        .entry('0', "prefix", "a.txt", Tar.octal(1), "t".getBytes())
        .file("pax/" + longName.substring(0, 60) + ".jpg", "other")
        .entry('x', "", "PaxHeader", Tar.octal(record.length()), record.getBytes()).file("cut.txt", "t")
        .entry('x', "", "PaxHeader", Tar.octal(sized.length()), sized.getBytes())
        .entry('0', "", "b.jpg", Tar.octal(0), "abc".getBytes()).file("b.txt", "t").end()));
    assertEquals(List.of("prefix/a", "b"), keys(s));
    assertEquals("abc", new String(s.file(1)));
    var both =
        open(shard("1.tar", new Tar().entry('L', "", "././@LongLink", Tar.octal(longName.length() + 5),
        (longName + ".jpg\0").getBytes()).file("short.jpg", "gnu")
        .entry('x', "", "PaxHeader", Tar.octal(length - 4), record.replace("pax/", "").replaceFirst("^\\d+",
        Integer.toString(length - 4)).getBytes()).entry('0', "", "short.txt", base256, "256".getBytes()).end()));
    assertEquals(List.of(longName), keys(both));
    assertEquals("256", both.caption(0, DRAW));
  }

  @Test void captionsAreChecked() throws IOException {
    var s = open(shard("0.tar", new Tar().file("a.jpg", "p").file("a.txt", " \n").file("b.jpg", "p")
        .file("b.txt", new byte[] {(byte) 0xff}).file("c.jpg", "p").file("c.txt", " a cat ").end()));
    assertEquals("with an empty caption", assertThrows(Preparation.LeftOut.class, () -> s.caption(0, DRAW)).reason());
    assertEquals("whose caption is no UTF-8 text", assertThrows(Preparation.LeftOut.class, () -> s.caption(1, DRAW))
        .reason());
    assertEquals(" a cat ", s.caption(2, DRAW));
    assertEquals(1, ShardSource.read(s, 100).size());
  }

  @Test void captionsOfJson() throws IOException {
    var fields = new Fields(List.of("jpg"), List.of("txt"), List.of("short", "long", "alt"), List.of(), 1000);
    var tar = shard("0.tar", new Tar().file("a.jpg", "p")
        .file("a.json", "{\"short\": \" \", \"long\": 3, \"alt\": \" an alt \", \"nsfw\": NaN}").file("b.jpg", "p")
        .file("b.json", "{").file("c.jpg", "p").file("c.txt", "no json")
        .file("d.jpg", "p").file("d.json", "{\"short\": \"s\", \"long\": \"l\", \"alt\": \"a\"}").end());
    var s = open(fields, tar);
    assertEquals(3, s.size());
    assertEquals("an alt", s.caption(0, DRAW));
    assertThrows(Preparation.LeftOut.class, () -> s.caption(1, DRAW));
    assertEquals("s", s.caption(2, DRAW));
    var weighted =
        open(new Fields(List.of("jpg"), List.of("txt"), List.of("short", "long", "alt"), List.of(1., 3.), 1000), tar);
    var times = new HashMap<String, Integer>();
    for (int i = 0; i < 4000; i++) times.merge(weighted.caption(2, DRAW.fold(i)), 1, Integer::sum);
    assertEquals(0.75, times.get("l") / 4000., 0.03);
    assertEquals(Map.of("s", 4000 - times.get("l"), "l", times.get("l")), times);
    assertThrows(IllegalArgumentException.class, () ->
        new Fields(List.of("jpg"), List.of("txt"), List.of("a"), List.of(1., 1.), 1000));
  }

  @Test void cutAndBrokenTars() throws IOException {
    byte[] whole = new Tar().file("a.jpg", "p").file("a.txt", "t").file("b.jpg", "p".repeat(2000)).file("b.txt", "t")
        .end();
    var cut = open(shard("0.tar", Arrays.copyOf(whole, 4 * 512 + 700)));
    assertEquals(List.of("a"), keys(cut));
    assertTrue(cut.notes().getLast().contains("0.tar: it is cut within the entry at byte 2048"), cut.notes()::toString);
    whole[4 * 512 + 3] ^= 1;
    assertEquals(List.of("a"), keys(open(shard("1.tar", whole))));
    for (byte[] none : List.of(new byte[0], "no tar".repeat(200).getBytes(), new byte[300])) {
      var file = shard("none.tar", none);
      assertTrue(assertThrows(IOException.class, () -> open(file)).getMessage().contains("none.tar"));
    }
    assertThrows(IOException.class, () -> open(folder.resolve("absent.tar")));
    assertTrue(assertThrows(IOException.class, () -> open(shard("empty.tar", new Tar().file("a.txt", "t").end())))
        .getMessage().contains("1 sample without a picture"));
    // a size that would be terabytes is never allocated
    assertEquals(List.of("a"),
        keys(open(shard("2.tar", new Tar().file("a.jpg", "p").file("a.txt", "t")
        .entry('0', "", "b.jpg", "77777777777\0".getBytes(), new byte[0]).end()))));
    var name = shard("3.tar", new Tar().file("a.jpg", "p").file("a.txt", "t")
        .entry('L', "", "x", Tar.octal(1 << 20), new byte[1 << 20]).end());
    assertThrows(IOException.class, () -> open(name));
  }

  @Test void anIndexIsOfItsShardAlone() throws IOException {
    var file = shard("0.tar", new Tar().file("a.jpg", "p").file("a.txt", "t").end());
    assertEquals(List.of("a"), keys(open(file)));
    var index = folder.resolve("0.tar.index");
    assertTrue(Files.exists(index));
    byte[] kept = Files.readAllBytes(index);
    shard("0.tar", new Tar().file("b.jpg", "p").file("b.txt", "t").file("c.jpg", "p").file("c.txt", "t").end());
    assertEquals(List.of("b", "c"), keys(open(file)));
    byte[] broken = Files.readAllBytes(index);
    broken[broken.length / 2] ^= 4;
    Files.write(index, broken);
    assertEquals(List.of("b", "c"), keys(open(file)));
    Files.write(index, kept);
    assertEquals(List.of("b", "c"), keys(open(file)));
  }
}
