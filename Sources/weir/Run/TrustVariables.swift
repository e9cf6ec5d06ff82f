#if TLS
/// A variable that names the file with the certificates that a program trusts.
struct TrustVariable {
    /// What the variable does with the certificates that a program trusts otherwise.
    enum Effect {
        case replaces, adds
    }

    var name: String
    /// The variables whose file the program takes if this one is not set, in their order.
    var fallbacks: [String] = []
    var effect = Effect.replaces
    /// Whether the variable is set only if the user has set it, as it changes more than trust.
    var isUsersOnly = false

    /// All variables, each tried with a program that reads it.
    static let all = [
        // OpenSSL, and so Python's ssl and urllib, and many others.
        TrustVariable(name: "SSL_CERT_FILE"),
        TrustVariable(name: "CURL_CA_BUNDLE", fallbacks: ["SSL_CERT_FILE"]),
        TrustVariable(name: "REQUESTS_CA_BUNDLE", fallbacks: ["CURL_CA_BUNDLE"]),
        TrustVariable(name: "NODE_EXTRA_CA_CERTS", effect: .adds),
        TrustVariable(name: "GIT_SSL_CAINFO"),
        TrustVariable(name: "AWS_CA_BUNDLE", fallbacks: ["REQUESTS_CA_BUNDLE"]),
        TrustVariable(name: "PIP_CERT", fallbacks: ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]),
        TrustVariable(name: "CARGO_HTTP_CAINFO", fallbacks: ["SSL_CERT_FILE"]),
        TrustVariable(name: "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"),
        TrustVariable(name: "HTTPLIB2_CA_CERTS"),
        // With it psql verifies servers that it would not verify otherwise.
        TrustVariable(name: "PGSSLROOTCERT", isUsersOnly: true),
    ]
}

/// The files of certificates that the user's own variables name.
struct UserTrust {
    /// The files' bytes by the variable's name.
    private(set) var files: [String: (path: String, bytes: [UInt8])] = [:]
    /// The names of variables that are set to something else than a file of certificates, such as a folder; they stay as they are.
    private(set) var others: [String] = []

    /// Reads the files.
    ///
    /// - Parameter variable: returns the value of a variable of the environment.
    init(variable: (String) -> String?) {
        for name in TrustVariable.all.map(\.name) {
            guard let path = variable(name), !path.isEmpty else { continue }
            if let bytes = try? SmallFile.read(path), Self.isPEM(bytes) {
                files[name] = (path, bytes)
            } else {
                others.append(name)
            }
        }
    }

    private static func isPEM(_ bytes: [UInt8]) -> Bool {
        bytes.split(separator: UInt8(ascii: "\n")).contains { $0.starts(with: "-----BEGIN ".utf8) }
    }

    /// The paths of the files, each once: the programs trust them, so Weir must trust them in their place.
    var paths: [String] { Set(files.values.map(\.path)).sorted() }

    /// Returns the variables by which programs trust one more certificate, and nothing less than before.
    ///
    /// - Parameters:
    ///   - certificate: the certificate, in PEM.
    ///   - roots: the certificates that the system trusts, in PEM.
    ///   - keep: stores certificates in a file, and returns its path.
    /// - Returns: the variables and their values.
    /// - Throws: what `keep` throws.
    func variables<Failure: Error>(
        adding certificate: [UInt8],
        to roots: [UInt8],
        keep: ([UInt8]) throws(Failure) -> String
    ) throws(Failure) -> [(name: String, path: String)] {
        var variables: [(name: String, path: String)] = []
        for variable in TrustVariable.all where !others.contains(variable.name) {
            if variable.isUsersOnly, files[variable.name] == nil { continue }
            let own = ([variable.name] + variable.fallbacks).lazy.compactMap { files[$0]?.bytes }.first
            let before = own ?? (variable.effect == .adds ? [] : roots)
            let separator: [UInt8] = before.isEmpty || before.last == 0x0A ? [] : [0x0A]
            variables.append((variable.name, try keep(before + separator + certificate)))
        }
        return variables
    }
}
#endif
