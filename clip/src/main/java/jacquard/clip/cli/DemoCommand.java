package jacquard.clip.cli;

import jacquard.clip.Clip;
import jacquard.clip.cli.options.DeviceOptions;
import jacquard.clip.hub.Environment;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.photos.Package;
import jacquard.clip.photos.Packages;
import jacquard.clip.photos.Photos;
import jacquard.clip.photos.PhotosPage;
import jacquard.clip.settings.Home;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "demo", mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "NAME", description = "photos, the only one so far.") String name;
  @Parameters(index = "1..*", arity = "0..*", paramLabel = "IMAGE", description = "Pictures of yours in place of the "
      + "five that are fetched.") List<Path> pictures = List.of();
  @Option(names = "--text", paramLabel = "SENTENCE", description = "What to choose among, as \"a photo of a cat.\"; "
      + "may be repeated (default: eight sentences for the five photographs, else a sentence for each of ImageNet's "
      + "1,000 classes).") List<String> texts = List.of();
  @Option(names = "--stamps", description = "Also fetches Tux Paint's pictures, and finds 403 captions among 430 "
      + "photographs.") boolean stamps;
  @Option(names = "--offline", description = "Fetches nothing; says what is missing.") boolean offline;
  @Option(names = "--out", paramLabel = "FILE", defaultValue = "photos.html", description = "The page (default: "
      + "${DEFAULT-VALUE}).") Path out;
  @Mixin DeviceOptions device;

  @Override public Integer call() throws IOException {
    if (!name.equals("photos")) throw new IllegalArgumentException("there is no demo " + name + ", expected photos");
    var packages = Packages.of(System.getenv(), Home.folder(),
        offline || Environment.current().offline());
    if (announced(packages)) return 1;
    var photos = new Photos(packages);
    var page = PhotosPage.begun();
    var folder = photos.model(device.device());
    try (var clip = Clip.load(folder, device.device())) {
      var files = pictures.isEmpty() ? photos.pictures() : pictures;
      var read = new ArrayList<Picture>();
      for (var f : files) read.add(Images.read(f));
      for (var answer : page.asked(clip, files, read, asked())) System.out.println(answer);
      if (stamps) System.out.println(page.found(clip, photos.stamps()));
    }
    page.write(out, folder, packages);
    System.out.println("page   " + out);
    System.out.println("model  " + folder + "   (./jacquard classify " + folder + " PICTURE --labels …)");
    return 0;
  }

  private List<String> asked() throws IOException {
    if (!texts.isEmpty()) return texts;
    return pictures.isEmpty() ? Photos.SENTENCES_ASKED : PhotosPage.sentences(Photos.classes());
  }

  /// Says what is to be fetched; whether that may not be.
  private boolean announced(Packages packages) {
    var needed = new ArrayList<Package>(List.of(Photos.CLASSIFIER, Photos.SENTENCES));
    if (pictures.isEmpty()) needed.add(Photos.PICTURES);
    if (stamps) needed.add(Photos.STAMPS);
    var missing = packages.missing(needed);
    if (missing.isEmpty()) return false;
    System.err.printf("jacquard: %s into %s:%n",
        packages.offline() ? "nothing is fetched offline; this would be fetched" : "to be fetched", packages.folder());
    for (var p : missing) System.err.println("  " + p);
    return packages.offline();
  }
}
