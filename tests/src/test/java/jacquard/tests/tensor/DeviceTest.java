package jacquard.tests.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import org.junit.jupiter.api.Test;

class DeviceTest {
  @Test void aNameIsOneInstance() {
    assertSame(Device.named("cpu"), Device.named("cpu:0"));
    assertSame(Device.named("cpu:3"), Device.named("cpu:3"));
    assertNotSame(Device.named("cpu"), Device.named("cpu:3"));
    assertEquals("cpu:3", Device.named("cpu:3").name());
    assertTrue(Device.all().contains(Device.named("cpu")) && Device.all().contains(Device.best()));
  }

  @Test void instancesCountTheirOwnBlocks() {
    var a = Device.named("cpu:4");
    long others = Device.named("cpu:5").live().blocks();
    try (var _ = Scope.open(a)) {
      Tensor.scalar(1);
      assertEquals(1, a.live().blocks());
      assertEquals(others, Device.named("cpu:5").live().blocks());
    }
    assertEquals(0, a.live().blocks());
  }

  @Test void anUnknownNameSaysWhatThereIs() {
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Device.named("tpu")).getMessage().contains("cpu"));
    assertThrows(IllegalArgumentException.class, () -> Device.named("cpu:one"));
    assertThrows(IllegalArgumentException.class, () -> Device.named("cpu:-1"));
  }
}
