public import ArgumentParser
import Glibc
import WeirAnalysis
import WeirDissect
public import WeirRelay
import WeirSinks
import WeirWire

/// A duration on the command line: `10s`, `500ms`, `2m`, `1h`, or a plain number of seconds.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    var duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        let units: [(suffix: String, nanoseconds: Double)] = [
            ("ms", 1e6), ("us", 1e3), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("", 1e9),
        ]
        for (suffix, nanoseconds) in units where argument.hasSuffix(suffix) {
            let digits = argument.dropLast(suffix.count)
            guard let first = digits.utf8.first, (0x30...0x39).contains(first), let value = Double(digits) else {
                continue
            }
            let total = value * nanoseconds
            guard total.isFinite, total < 9e18 else { return nil }
            duration = .nanoseconds(Int64(total))
            return
        }
        return nil
    }

    var defaultValueDescription: String { description }

    /// Whole seconds if that is exact, otherwise milliseconds: `5s`, `1500ms`.
    var description: String {
        let milliseconds = duration.inNanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

/// A number of bytes on the command line: `4096`, `64k`, `1M`, `2G` (powers of 1024).
struct ByteCountArgument: ExpressibleByArgument {
    var bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    init?(argument: String) {
        let units: [(suffix: String, shift: Int)] = [("k", 10), ("K", 10), ("M", 20), ("G", 30), ("", 0)]
        for (suffix, shift) in units where argument.hasSuffix(suffix) {
            let digits = argument.dropLast(suffix.count)
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(digits) else { continue }
            let (product, overflow) = value.multipliedReportingOverflow(by: 1 << shift)
            guard !overflow else { return nil }
            bytes = product
            return
        }
        return nil
    }

    var defaultValueDescription: String {
        bytes > 0 && bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : "\(bytes)"
    }
}

extension TerminalSink.Show: ExpressibleByArgument {}
extension SinkOutput.Overflow: ExpressibleByArgument {}
extension FlowOrder: ExpressibleByArgument {}
extension FollowForm: ExpressibleByArgument {}
extension OverlapPolicy: ExpressibleByArgument {}

/// The choice of IPv4 or IPv6.
struct FamilyOptions: ParsableArguments {
    @Flag(name: .customShort("4"), help: "Use only IPv4 addresses of names.")
    var v4 = false

    @Flag(name: .customShort("6"), help: "Use only IPv6 addresses of names.")
    var v6 = false

    func validate() throws {
        if v4, v6 { throw ValidationError("-4 and -6 exclude each other.") }
    }

    var family: AddressFamily? { v4 ? .v4 : v6 ? .v6 : nil }
}
