#if TLS
import ArgumentParser
import Glibc
import WeirTLS

/// The command `weir ca trust`.
struct CATrustCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Print how each tool of this machine comes to trust the CA; changes nothing."
    )

    @OptionGroup var options: CAOptions

    @Flag(help: "Print the lines for all tools, also for those that are not here.")
    var all = false

    func run() throws {
        let (store, _) = try options.load()
        print(
            TrustAdvice.render(
                certificate: store.certificatePath,
                bundle: options.command("bundle"),
                has: { all || TrustAdvice.isHere($0) },
                variable: { getenv($0).map { String(cString: $0) } }
            ),
            terminator: ""
        )
    }
}

/// The ways in which tools come to trust a certificate.
enum TrustAdvice {
    /// One tool's way.
    struct Way {
        /// The programs that stand for the tool: one of them must be here.
        var programs: [String]
        var title: String
        /// Returns the lines with the certificate's path.
        var lines: @Sendable (_ certificate: String) -> [String]
    }

    /// All ways; the first ones need no rights, the last ones are for all programs of the machine.
    static let all: [Way] = [
        Way(
            programs: ["curl"],
            title: "curl",
            lines: { ca in ["curl --cacert \(ca)", "export CURL_CA_BUNDLE=\(ca)"] }
        ),
        Way(
            programs: ["python3"],
            title: "Python (ssl, urllib)",
            lines: { _ in ["weir ca bundle > bundle.pem", "export SSL_CERT_FILE=bundle.pem"] }
        ),
        Way(
            programs: ["python3"],
            title: "Python (requests)",
            lines: { _ in ["weir ca bundle > bundle.pem", "export REQUESTS_CA_BUNDLE=bundle.pem"] }
        ),
        Way(programs: ["node"], title: "Node", lines: { ca in ["export NODE_EXTRA_CA_CERTS=\(ca)"] }),
        Way(programs: ["git"], title: "git", lines: { ca in ["export GIT_SSL_CAINFO=\(ca)"] }),
        Way(programs: ["wget"], title: "wget", lines: { ca in ["wget --ca-certificate=\(ca)"] }),
        Way(
            programs: ["openssl"],
            title: "programs with OpenSSL",
            lines: { ca in
                ["weir ca bundle > bundle.pem", "export SSL_CERT_FILE=bundle.pem", "openssl s_client -CAfile \(ca)"]
            }
        ),
        Way(programs: ["gnutls-cli"], title: "gnutls-cli", lines: { ca in ["gnutls-cli --x509cafile \(ca)"] }),
        Way(
            programs: ["psql"],
            title: "psql",
            lines: { ca in ["export PGSSLROOTCERT=\(ca) PGSSLMODE=verify-full"] }
        ),
        Way(programs: ["redis-cli"], title: "redis-cli", lines: { ca in ["redis-cli --tls --cacert \(ca)"] }),
        Way(programs: ["mosquitto_pub"], title: "mosquitto", lines: { ca in ["mosquitto_pub --cafile \(ca)"] }),
        Way(
            programs: ["keytool"],
            title: "Java",
            lines: { ca in
                [
                    "keytool -importcert -noprompt -alias weir -storepass changeit -keystore weir.jks -file \(ca)",
                    "java -Djavax.net.ssl.trustStore=weir.jks -Djavax.net.ssl.trustStorePassword=changeit",
                ]
            }
        ),
        Way(
            programs: ["certutil"],
            title: "Chromium and Chrome",
            lines: { ca in ["certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n weir -i \(ca)"] }
        ),
        Way(
            programs: ["firefox", "firefox-esr"],
            title: "Firefox",
            lines: { ca in ["Settings, Certificates, Authorities, Import: \(ca)"] }
        ),
        Way(
            programs: ["update-ca-certificates"],
            title: "all programs of this machine (as root; undone by removing the file and running it again)",
            lines: { ca in ["cp \(ca) /usr/local/share/ca-certificates/weir.crt && update-ca-certificates"] }
        ),
        Way(
            programs: ["trust"],
            title: "all programs of this machine (as root; undone with trust anchor --remove)",
            lines: { ca in ["trust anchor --store \(ca)"] }
        ),
    ]

    /// The variables that replace the certificates of a program: where one is set already, it wins.
    private static let variables = [
        "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
        "GIT_SSL_CAINFO",
    ]

    /// Returns the lines for the tools that are here.
    ///
    /// - Parameters:
    ///   - certificate: the path of the certificate.
    ///   - bundle: the command that prints the system's certificates and this one.
    ///   - has: returns whether a program is here.
    ///   - variable: returns the value of a variable of the environment.
    /// - Returns: the lines, with a line of comment before each tool's.
    static func render(
        certificate: String,
        bundle: String,
        has: (String) -> Bool,
        variable: (String) -> String?
    ) -> String {
        let path = quoted(certificate)
        var text = ""
        for way in all where way.programs.contains(where: has) {
            text += "# \(way.title)\n"
            for line in way.lines(path) { text += line.replacing("weir ca bundle", with: bundle) + "\n" }
            text += "\n"
        }
        for name in variables {
            guard let value = variable(name), !value.isEmpty else { continue }
            text += "# \(name) is set already, to \(value): programs read that file until it is changed\n"
        }
        return text
    }

    /// Returns whether a program is on PATH.
    static func isHere(_ program: String) -> Bool {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    /// Returns a path as a shell reads it: with quotes if it has anything that a shell would take apart.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
        return isPlain
            ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
#endif
