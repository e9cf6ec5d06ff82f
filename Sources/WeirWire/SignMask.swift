/// Spreads the top bit of each byte over the byte: 0xff if it is set, 0 if not.
///
/// Swift 6.3 compiles a comparison of SIMD bytes (`.<`) into a loop over the lanes: with the comparison the hex dump
/// ran at 0.18 GB/s, with this shift at 3.3.
@inline(__always)
func signMask(of bytes: SIMD16<UInt8>) -> SIMD16<UInt8> {
    unsafeBitCast(unsafeBitCast(bytes, to: SIMD16<Int8>.self) &>> 7, to: SIMD16<UInt8>.self)
}
