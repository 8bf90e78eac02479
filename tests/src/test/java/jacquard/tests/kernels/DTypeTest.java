package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.tensor.DType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rounding to 16 bits, by bits written out by hand: the nearest, and of two equally near the one that ends in 0.
class DTypeTest {
  @ParameterizedTest @CsvSource({
      "3f800000, 3f80, 1", "3f807fff, 3f80, below half", "3f808000, 3f80, half: to the even one below",
      "3f808001, 3f81, above half", "3f818000, 3f82, half: to the even one above", "bf818000, bf82, the same below 0",
      "7f7f8000, 7f80, half beyond the largest is infinite", "7f800000, 7f80, infinity", "80000000, 8000, −0",
      "7f800001, 7fc0, NaN whose upper bits would be infinity", "00008000, 0000, half of the least",
      "00018000, 0002, subnormal"})
  void bf16(String from, String to, String why) {
    float x = Float.intBitsToFloat(Integer.parseUnsignedInt(from, 16));
    assertEquals(to, "%04x".formatted(DType.toBf16(x) & 0xffff), why);
  }
}
