import COpenSSL

/// The authority that signs the certificates which clients see.
package struct Authority: Sendable {
    /// How long an authority is valid, in seconds: ten years.
    static let lifetime = 3650 * 86_400
    /// How long a leaf is valid, in seconds, from now on: 30 days, which is what all clients take.
    static let leafLifetime = 30 * 86_400
    /// How long before now a certificate is valid already, in seconds: clocks differ.
    static let leeway = 2 * 86_400

    /// The authority's own certificate and key.
    package let certificate: TLSCertificate
    /// The names to which it is constrained; empty for all.
    private let constraints: [NameConstraint]

    /// Makes an authority of a certificate that exists.
    ///
    /// - Throws: `TLSSetupError` if the certificate may not sign others.
    package init(_ certificate: TLSCertificate, of name: String) throws(TLSSetupError) {
        guard certificate.certificate.isAuthority else {
            throw TLSSetupError("the certificate in '\(name)' is not that of an authority (CA:TRUE)")
        }
        self.certificate = certificate
        constraints = certificate.certificate.constraints.compactMap { NameConstraint(printed: $0) }
    }

    /// Makes a new authority.
    ///
    /// - Parameters:
    ///   - host: this machine's name, which is part of the authority's.
    ///   - names: the names to which it is constrained; empty for all.
    ///   - now: the time in seconds since 1970 UTC.
    /// - Throws: `TLSSetupError` if OpenSSL cannot make it.
    package init(on host: String, onlyFor names: [NameConstraint] = [], at now: Int) throws(TLSSetupError) {
        let key = try PrivateKey(.p256)
        var extensions: [(number: Int32, value: String)] = [
            (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
            (NID_subject_key_identifier, "hash"),
        ]
        if !names.isEmpty {
            let list = names.map { "permitted;\($0.text)" }.joined(separator: ",")
            extensions.append((NID_name_constraints, "critical,\(list)"))
        }
        // Two authorities must not have the same name: clients would build wrong chains.
        var mark = [UInt8](repeating: 0, count: 4)
        guard RAND_bytes(&mark, Int32(mark.count)) == 1 else { throw TLSSetupError("OpenSSL has no random numbers") }
        let contents = CertificateContents(
            subject: .name("Weir CA \(host.prefix(40)) \(mark.hexadecimal)"),
            validity: (now - Self.leeway)...(now + Self.lifetime),
            extensions: extensions
        )
        certificate = TLSCertificate(try CertificateMaker.make(contents, for: key, signedBy: nil), key)
        constraints = names
    }

    /// Makes a certificate for a server.
    ///
    /// - Parameters:
    ///   - names: its names and addresses; the first name is the common name, too. Those that are not plain, and those to which the
    ///     authority is not constrained, are left out: clients refuse a certificate with one of them.
    ///   - key: its key.
    ///   - now: the time in seconds since 1970 UTC.
    /// - Returns: the certificate with the authority's own as its chain.
    /// - Throws: `TLSSetupError` if OpenSSL refuses a name.
    package func leaf(for names: [AlternativeName], key: PrivateKey, at now: Int) throws(TLSSetupError)
        -> TLSCertificate
    {
        let names = names.filter { $0.isPlain && NameConstraint.allow($0, constraints) }
        var extensions = Self.leafExtensions(key, for: "serverAuth")
        if !names.isEmpty {
            extensions.append((NID_subject_alt_name, names.map(\.text).joined(separator: ",")))
        }
        return try sign(.name(Self.commonName(names)), extensions, for: key, at: now)
    }

    /// Makes a certificate in the name of a client's, for servers that know this authority.
    ///
    /// - Parameters:
    ///   - client: the client's certificate.
    ///   - key: the key of the new one.
    ///   - now: the time in seconds since 1970 UTC.
    /// - Returns: the certificate with the same subject and alternative names.
    /// - Throws: `TLSSetupError` if OpenSSL refuses something.
    package func certificate(inTheNameOf client: X509Certificate, key: PrivateKey, at now: Int) throws(TLSSetupError)
        -> TLSCertificate
    {
        try sign(.same(client), Self.leafExtensions(key, for: "clientAuth"), for: key, at: now)
    }

    private static func leafExtensions(_ key: PrivateKey, for usage: String) -> [(number: Int32, value: String)] {
        [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature\(key.isRSA ? ",keyEncipherment" : "")"),
            (NID_ext_key_usage, usage), (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid:always"),
        ]
    }

    private func sign(
        _ subject: CertificateContents.Subject,
        _ extensions: [(number: Int32, value: String)],
        for key: PrivateKey,
        at now: Int
    ) throws(TLSSetupError) -> TLSCertificate {
        let validity = certificate.certificate.validity
        let last = min(now + Self.leafLifetime, validity.upperBound)
        let first = max(now - Self.leeway, validity.lowerBound)
        let contents = CertificateContents(
            subject: subject,
            validity: first...max(first, last),
            extensions: extensions
        )
        return TLSCertificate(try CertificateMaker.make(contents, for: key, signedBy: certificate), key)
    }

    /// Returns a common name of at most 64 bytes: the first name that is short enough.
    private static func commonName(_ names: [AlternativeName]) -> String {
        for name in names {
            let text = String(name.text.drop { $0 != ":" }.dropFirst())
            if text.utf8.count <= 64 { return text }
        }
        return "weir"
    }
}

extension PrivateKey {
    /// Whether it is an RSA key.
    var isRSA: Bool { EVP_PKEY_get_base_id(raw) == EVP_PKEY_RSA }
}
