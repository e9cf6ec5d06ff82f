/// Says how many units of a timestamp make a second: a power of ten or of two.
///
/// Source: draft-ietf-opsawg-pcapng section 4.2, if_tsresol.
public struct TimestampResolution: RawRepresentable, Hashable, Sendable {
    /// Gives the octet of the file: the exponent, with the top bit set when the base is two.
    public let rawValue: UInt8

    /// Creates a resolution from the octet of a file.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Counts millionths of a second, which is what an interface without a resolution means.
    public static let microseconds = TimestampResolution(rawValue: 6)
    /// Counts thousand-millionths of a second.
    public static let nanoseconds = TimestampResolution(rawValue: 9)

    /// Says whether units are halvings of a second, not tenths.
    public var isBinary: Bool { rawValue & 0x80 != 0 }

    /// Gives the power that the base is raised to.
    public var exponent: Int { Int(rawValue & 0x7f) }
}

/// Turns the timestamps of one interface into nanoseconds since 1970 UTC, and back.
///
/// Where a unit is coarser than a nanosecond, the nanosecond that a unit gives is turned back into the same unit.
struct CaptureClock: Equatable, Sendable {
    /// Nanoseconds of one unit, where that is a whole number; else 0.
    private let factor: UInt64
    private let offset: Int64
    private let resolution: TimestampResolution

    init(_ resolution: TimestampResolution = .microseconds, offsetSeconds: Int64 = 0) {
        self.resolution = resolution
        self.offset = offsetSeconds
        let isWhole = !resolution.isBinary && resolution.exponent <= 9
        factor = isWhole ? (0..<(9 - resolution.exponent)).reduce(1) { value, _ in value * 10 } : 0
    }

    /// Returns nanoseconds since 1970 UTC, rounded down; the nearest there is where 64 bits do not hold them.
    @inline(__always)
    func nanoseconds(_ units: UInt64) -> Int64 {
        let (product, overflow) = units.multipliedReportingOverflow(by: factor)
        guard factor != 0, offset == 0, !overflow, product <= UInt64(Int64.max) else { return exact(units) }
        return Int64(truncatingIfNeeded: product)
    }

    /// Returns the units of a time, rounded up; the nearest there are where 64 bits do not hold them.
    @inline(__always)
    func units(_ nanoseconds: Int64) -> UInt64 {
        guard factor == 1, offset == 0, nanoseconds >= 0 else { return exactUnits(nanoseconds) }
        return UInt64(truncatingIfNeeded: nanoseconds)
    }
}

extension CaptureClock {
    private static let nanosecondsInSecond: Int128 = 1_000_000_000

    /// Units in a second; nil when a whole section's time, 2 to the 64 units, is less than a nanosecond.
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
        // The least value stands for all times before it: only rounding down gives it again.
        let rounding = nanoseconds == .min ? 0 : Self.nanosecondsInSecond - 1
        let (sum, carry) = product.addingReportingOverflow(rounding)
        return carry ? .max : UInt64(clamping: sum / Self.nanosecondsInSecond)
    }
}
