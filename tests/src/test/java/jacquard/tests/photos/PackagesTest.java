package jacquard.tests.photos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.photos.Package;
import jacquard.clip.photos.Packages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Packages are fetched by a registry's client, here a stand-in, and taken only if they are what is meant.
class PackagesTest {
  private static final byte[] CONTENT = "all that matters".repeat(1000).getBytes(StandardCharsets.UTF_8);
  @TempDir Path folder;
  private Path wheel;
  private Package meant;

  @BeforeEach void wheel() throws Exception {
    wheel = folder.resolve("there/photos-1.0.whl");
    Files.createDirectories(wheel.getParent());
    try (var zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
      for (var n : new String[] {"photos/model.bin", "../outside"}) {
        zip.putNextEntry(new ZipEntry(n));
        zip.write(CONTENT);
      }
    }
    meant = pinned(wheel);
  }

  private static Package pinned(Path file) throws Exception {
    var sha = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    return new Package(Package.Registry.PYPI, "photos", "1.0", "photos-1.0.whl", Files.size(file), sha, List.of(),
        "test data");
  }

  private Packages packages(boolean offline, Function<Package, List<List<String>>> commands) {
    return new Packages(folder.resolve("cache/packages"), offline, commands);
  }

  private Packages copying(Path file) {
    return packages(false, _ -> List.of(List.of("no-such-client"), List.of("cp", file.toString(), "photos-1.0.whl")));
  }

  /// The first command that the machine has is used; a second time nothing is fetched.
  @Test void isFetchedOnce() throws IOException {
    assertEquals(List.of(meant), copying(wheel).missing(List.of(meant)));
    var file = copying(wheel).file(meant);
    assertEquals(-1, Files.mismatch(wheel, file));
    assertEquals(file, packages(true, _ -> List.of()).file(meant));
    try (var all = Files.list(file.getParent())) { assertEquals(List.of(file), all.toList()); }
  }

  @Test void anotherFileIsRefused() throws Exception {
    byte[] other = Files.readAllBytes(wheel);
    other[40] ^= 1;
    var damaged = Files.write(folder.resolve("damaged"), other);
    var e = assertThrows(IOException.class, () -> copying(damaged).file(meant));
    assertTrue(e.getMessage().contains("expected " + meant.sha256()), e.getMessage());
    var longer = Files.write(folder.resolve("longer"), new byte[7]);
    e = assertThrows(IOException.class, () -> copying(longer).file(meant));
    assertTrue(e.getMessage().contains("7 bytes, expected " + meant.bytes()), e.getMessage());
    assertEquals(List.of(meant), copying(wheel).missing(List.of(meant)));
  }

  @Test void whatIsMissingIsSaidInFull() {
    for (var p : new Packages[] {packages(true, _ -> List.of()),
        packages(false, _ -> List.of(List.of("no-such-client")))}) {
      var e = assertThrows(IOException.class, () -> p.file(meant));
      for (var part : new String[] {"photos 1.0 from PyPI", meant.sha256(), "test data", "cache/packages"})
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }
    var e = assertThrows(IOException.class, () -> packages(false, _ -> List.of(List.of("sh", "-c",
        "echo no route to the registry; exit 3"))).file(meant));
    assertTrue(e.getMessage().contains("ended with 3 (no route to the registry)"), e.getMessage());
  }

  /// Only a member that is asked for is written, and only where it is asked to be.
  @Test void aMemberGoesWhereItIsTold() throws IOException {
    var to = Files.createDirectories(folder.resolve("in")).resolve("model.bin");
    Packages.unpack(wheel, "photos/model.bin", to);
    assertArrayEquals(CONTENT, Files.readAllBytes(to));
    Packages.unpack(wheel, "../outside", to);
    assertTrue(Files.notExists(folder.resolve("outside")));
    assertThrows(IOException.class, () -> Packages.unpack(wheel, "photos/other.bin", to));
  }

  /// A length that the archive only claims is not believed.
  @Test void aClaimedLengthIsNotAllocated() throws IOException {
    byte[] zip = Files.readAllBytes(wheel);
    var b = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i + 4 < zip.length; i++) if (b.getInt(i) == 0x02014b50) b.putInt(i + 24, 0x7ffffff0);
    var file = Files.write(folder.resolve("claims.whl"), zip);
    var e = assertThrows(IOException.class, () -> Packages.unpack(file, "photos/model.bin", folder.resolve("x")));
    assertTrue(e.getMessage().contains("claims.whl") && e.getMessage().contains("claims 2147483632 bytes"),
        e.getMessage());
  }
}
