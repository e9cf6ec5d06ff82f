/// A version of TLS; SSL 3.0 and before are not spoken.
package enum TLSVersion: UInt16, CaseIterable, Comparable, Sendable, CustomStringConvertible {
    case v10 = 0x0301
    case v11 = 0x0302
    case v12 = 0x0303
    case v13 = 0x0304

    /// Reads a version as on the command line: `1.2`.
    package init?(_ text: String) {
        guard let version = Self.allCases.first(where: { $0.number == text }) else { return nil }
        self = version
    }

    /// The version's number: `1.2`.
    package var number: String {
        switch self {
        case .v10: "1.0"
        case .v11: "1.1"
        case .v12: "1.2"
        case .v13: "1.3"
        }
    }

    /// The version as records show it: `TLS 1.2`.
    package var description: String { "TLS \(number)" }

    package static func < (one: TLSVersion, other: TLSVersion) -> Bool { one.rawValue < other.rawValue }
}
