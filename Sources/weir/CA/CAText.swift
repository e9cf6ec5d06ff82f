#if TLS
import Glibc
import WeirRelay
import WeirTLS
import WeirWire

/// The authority as text.
enum CAText {
    private static let day = 86_400

    /// The time in seconds since 1970 UTC.
    static var now: Int { Int(time(nil)) }

    /// This machine's name.
    static var host: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "localhost" }
        return withUnsafeBytes(of: name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Returns the authority in a few lines.
    static func render(_ authority: Authority, in store: AuthorityStore, now: Int) -> String {
        let certificate = authority.certificate.certificate
        let left = certificate.validity.upperBound - now
        let days = (left + day - 1) / day
        let state =
            switch left {
            case ..<0: "it has expired: make a new one with 'weir ca remove' and 'weir ca make'"
            case ..<(30 * day):
                "it expires in \(days) days: make a new one with 'weir ca remove' and 'weir ca make'"
            default: "for \(days) more days"
            }
        let names = certificate.constraints
        return """
            \(certificate.subject)
            valid        \(date(certificate.validity.lowerBound)) to \(date(certificate.validity.upperBound)), \(state)
            signs        \(names.isEmpty ? "any name" : "only " + names.joined(separator: ", "))
            SHA-256      \(certificate.fingerprint.map { [$0].hexadecimal.uppercased() }.joined(separator: ":"))
            certificate  \(store.certificatePath)
            key          \(store.keyPath)

            """
    }

    /// Returns a day as in `2026-11-30`, in UTC.
    private static func date(_ seconds: Int) -> String {
        var (seconds, parts) = (time_t(seconds), tm())
        guard gmtime_r(&seconds, &parts) != nil else { return "?" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}

/// The certificates that the system trusts, as one file in PEM.
enum SystemRoots {
    /// The places of the file: Debian, Fedora, openSUSE, Alpine and OpenSSL's own.
    static let paths = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        "/usr/lib/ssl/cert.pem",
    ]

    /// Reads the file; nil if there is none.
    static func read() -> [UInt8]? {
        for path in paths {
            guard let bytes = try? SmallFile.read(path), !bytes.isEmpty else { continue }
            return bytes
        }
        return nil
    }
}

extension NameConstraint {
    /// Reads a name, an address or a range of addresses; nil if the text is none of them.
    init?(_ text: Substring) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if let address = IPAddress(parts[0]), address.scope == 0 {
            let most = address.isV4 ? 32 : 128
            let bits = parts.count == 1 ? most : Int(parts[1]) ?? -1
            guard (0...most).contains(bits) else { return nil }
            let mask = (0..<(most / 8)).map { byte in
                UInt8(truncatingIfNeeded: 0xFF00 >> min(8, max(0, bits - 8 * byte)))
            }
            self = .network(address: zip(address.octets, mask).map { $0 & $1 }, mask: mask)
            return
        }
        let name = text.lowercased()
        guard parts.count == 1, AlternativeName.host(name).isPlain, !name.contains("*") else { return nil }
        self = .host(name)
    }
}
#endif
