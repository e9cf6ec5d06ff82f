/// The number of timestamp units in a second: a power of ten or of two.
///
/// Source: draft-ietf-opsawg-pcapng section 4.2, if_tsresol.
public struct TimestampResolution: RawRepresentable, Hashable, Sendable {
    /// The octet in the file: the exponent, with the top bit set if the base is two.
    public let rawValue: UInt8

    /// Creates a resolution from the octet in a file.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Microseconds, the resolution of an interface without this option.
    public static let microseconds = TimestampResolution(rawValue: 6)
    /// Nanoseconds.
    public static let nanoseconds = TimestampResolution(rawValue: 9)

    /// Whether units are negative powers of two of a second, not of ten.
    public var isBinary: Bool { rawValue & 0x80 != 0 }

    /// The exponent of the power.
    public var exponent: Int { Int(rawValue & 0x7f) }
}

/// A converter between the timestamps of one interface and nanoseconds since 1970 UTC.
///
/// If a unit is longer than a nanosecond, a unit converted to nanoseconds and back is the same unit.
struct CaptureClock: Equatable, Sendable {
    /// The nanoseconds of one unit if that is a whole number; otherwise 0.
    private let factor: UInt64
    private let offset: Int64
    private let resolution: TimestampResolution

    init(_ resolution: TimestampResolution = .microseconds, offsetSeconds: Int64 = 0) {
        self.resolution = resolution
        self.offset = offsetSeconds
        let isWhole = !resolution.isBinary && resolution.exponent <= 9
        factor = isWhole ? (0..<(9 - resolution.exponent)).reduce(1) { value, _ in value * 10 } : 0
    }

    /// Returns nanoseconds since 1970 UTC, rounded down and clamped to 64 bits.
    @inline(__always)
    func nanoseconds(_ units: UInt64) -> Int64 {
        let (product, overflow) = units.multipliedReportingOverflow(by: factor)
        guard factor != 0, offset == 0, !overflow, product <= UInt64(Int64.max) else { return exact(units) }
        return Int64(truncatingIfNeeded: product)
    }

    /// Returns the units of a time, rounded up and clamped to 64 bits.
    @inline(__always)
    func units(_ nanoseconds: Int64) -> UInt64 {
        guard factor == 1, offset == 0, nanoseconds >= 0 else { return exactUnits(nanoseconds) }
        return UInt64(truncatingIfNeeded: nanoseconds)
    }
}

extension CaptureClock {
    private static let nanosecondsInSecond: Int128 = 1_000_000_000

    /// The units in a second; nil if even the largest timestamp, 2 to the 64 units, is less than a nanosecond.
    private var unitsInSecond: Int128? {
        if resolution.isBinary { return resolution.exponent <= 94 ? 1 << Int128(resolution.exponent) : nil }
        guard resolution.exponent <= 28 else { return nil }
        return (0..<resolution.exponent).reduce(1) { value, _ in value * 10 }
    }

    @inline(never)
    private func exact(_ units: UInt64) -> Int64 {
        // At most 2 to the 64 by 10 to the 9, and 2 to the 63 by 10 to the 9: both fit in 127 bits.
        let fraction = unitsInSecond.map { Int128(units) * Self.nanosecondsInSecond / $0 } ?? 0
        return Int64(clamping: fraction + Int128(offset) * Self.nanosecondsInSecond)
    }

    @inline(never)
    private func exactUnits(_ nanoseconds: Int64) -> UInt64 {
        let time = Int128(nanoseconds) - Int128(offset) * Self.nanosecondsInSecond
        guard time > 0, let unitsInSecond else { return 0 }
        let (product, overflow) = time.multipliedReportingOverflow(by: unitsInSecond)
        if overflow { return .max }
        // The smallest value stands for all times before it: only rounding down returns it again.
        let rounding = nanoseconds == .min ? 0 : Self.nanosecondsInSecond - 1
        let (sum, carry) = product.addingReportingOverflow(rounding)
        return carry ? .max : UInt64(clamping: sum / Self.nanosecondsInSecond)
    }
}
