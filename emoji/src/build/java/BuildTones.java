import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/// Draws men and women of several roles in five skin tones, by two families, at 32×32 on white into one sheet, and
/// writes their table. Arguments: the folders of the packages and of the sheet.
final class BuildTones {
  private static final Map<String, String> SETS = Map.of("noto", "iconify-json-noto-1.2.9.tgz", "twemoji",
      "iconify-json-twemoji-1.2.5.tgz");
  private static final List<String> ROLES = List.of("artist", "astronaut", "construction-worker", "cook", "detective",
      "factory-worker", "farmer", "firefighter", "guard", "health-worker", "judge", "mage", "mechanic", "office-worker",
      "pilot", "police-officer", "scientist", "singer", "student", "superhero", "supervillain", "teacher",
      "technologist");
  private static final List<String> TONES = List.of("light", "medium-light", "medium", "medium-dark", "dark");
  private static final int COLUMNS = 32;

  private BuildTones() {}

  public static void main(String[] args) throws IOException {
    Path packages = Path.of(args[0]), to = Path.of(args[1]);
    var lines = new ArrayList<>(List.of("family\tindex\trole\tgender\ttone"));
    var drawn = new ArrayList<BufferedImage>();
    for (var family : List.of("noto", "twemoji")) {
      var set = Tarball.read(packages.resolve(SETS.get(family)), "icons.json").json("icons.json");
      var icons = Json.object(set.get("icons"));
      for (var role : ROLES) for (var gender : List.of("man", "woman")) for (var tone : TONES) {
        var name = gender + "-" + role + "-" + tone + "-skin-tone";
        if (!icons.containsKey(name)) throw new IOException(family + " has no " + name);
        lines.add(String.join("\t", family, Integer.toString(drawn.size()), role.replace('-', ' '), gender,
            tone.replace('-', ' ')));
        drawn.add(Artwork.svg(Json.object(icons.get(name)), set, false));
      }
    }
    var sheet = new BufferedImage(COLUMNS * Artwork.SIZE, Math.ceilDiv(drawn.size(), COLUMNS) * Artwork.SIZE,
        BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < drawn.size(); i++)
      sheet.getRaster().setDataElements(i % COLUMNS * Artwork.SIZE, i / COLUMNS * Artwork.SIZE,
          drawn.get(i).getRaster());
    ImageIO.write(sheet, "png", to.resolve("tones.png").toFile());
    Files.write(to.resolve("tones.tsv"), lines);
  }
}
