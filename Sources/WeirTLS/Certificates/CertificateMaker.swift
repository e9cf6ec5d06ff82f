import COpenSSL
import CTLS

/// What a new certificate says.
struct CertificateContents {
    /// Whose certificate it is.
    enum Subject {
        /// A common name, at most 64 bytes.
        case name(String)
        /// The subject and the alternative names of another certificate.
        case same(X509Certificate)
    }

    /// Whose certificate it is.
    var subject: Subject
    /// The first and last second of validity, in seconds since 1970 UTC.
    var validity: ClosedRange<Int>
    /// The extensions in the form of OpenSSL's configuration, in their order: a number (NID) and a value.
    var extensions: [(number: Int32, value: String)]
}

extension CertificateContents.Subject: CustomStringConvertible {
    var description: String {
        switch self {
        case .name(let name): "'\(name)'"
        case .same(let other): "'\(other.subject)'"
        }
    }
}

/// The making of certificates.
///
/// Source: RFC 5280 section 4.1; X509v3_config(5) for the values of extensions.
enum CertificateMaker {
    /// Makes a certificate.
    ///
    /// - Parameters:
    ///   - contents: what it says.
    ///   - key: its key.
    ///   - issuer: who signs it; nil if it signs itself.
    /// - Returns: the certificate.
    /// - Throws: `TLSSetupError` if OpenSSL refuses something.
    static func make(
        _ contents: CertificateContents,
        for key: PrivateKey,
        signedBy issuer: TLSCertificate?
    ) throws(TLSSetupError) -> X509Certificate {
        OpenSSL.prepare()
        OpenSSLErrors.clear()
        guard let raw = X509_new() else { throw failure("make a certificate") }
        let certificate = X509Certificate(owning: raw)
        // Version 3.
        guard X509_set_version(raw, 2) == 1, setSerial(raw), setTimes(raw, contents.validity),
            X509_set_pubkey(raw, key.raw) == 1, setSubject(raw, contents.subject)
        else { throw failure("make a certificate for \(contents.subject)") }
        let issuerName = X509_get_subject_name(issuer?.certificate.raw ?? raw)
        guard X509_set_issuer_name(raw, issuerName) == 1 else { throw failure("name the issuer") }
        for (number, value) in contents.extensions {
            guard add(number, value, to: raw, issuer: issuer?.certificate.raw ?? raw) else {
                throw failure("add the extension '\(value)'")
            }
        }
        guard X509_sign(raw, issuer?.key.raw ?? key.raw, EVP_sha256()) > 0 else { throw failure("sign a certificate") }
        return certificate
    }

    /// Sets a serial number of 159 random bits: at most 20 bytes, positive, and never the same twice.
    private static func setSerial(_ raw: OpaquePointer) -> Bool {
        guard let number = BN_new() else { return false }
        defer { BN_free(number) }
        // The highest bit is set, so that it is never short.
        guard BN_rand(number, 159, 0, 0) == 1 else { return false }
        return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(raw)) != nil
    }

    private static func setTimes(_ raw: OpaquePointer, _ validity: ClosedRange<Int>) -> Bool {
        // The year 2050 and later have another form, which this function chooses.
        ASN1_TIME_set(X509_getm_notBefore(raw), validity.lowerBound) != nil
            && ASN1_TIME_set(X509_getm_notAfter(raw), validity.upperBound) != nil
    }

    private static func setSubject(_ raw: OpaquePointer, _ subject: CertificateContents.Subject) -> Bool {
        switch subject {
        case .name(let name):
            let bytes = Array(name.utf8)
            let count = Int32(bytes.count)
            let place = X509_get_subject_name(raw)
            return X509_NAME_add_entry_by_NID(place, NID_commonName, MBSTRING_UTF8, bytes, count, -1, 0) == 1
        case .same(let other):
            guard X509_set_subject_name(raw, X509_get_subject_name(other.raw)) == 1 else { return false }
            let place = X509_get_ext_by_NID(other.raw, NID_subject_alt_name, -1)
            return place < 0 || X509_add_ext(raw, X509_get_ext(other.raw, place), -1) == 1
        }
    }

    private static func add(_ number: Int32, _ value: String, to raw: OpaquePointer, issuer: OpaquePointer) -> Bool {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, raw, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, number, value) else { return false }
        defer { X509_EXTENSION_free(made) }
        return X509_add_ext(raw, made, -1) == 1
    }

    private static func failure(_ attempt: String) -> TLSSetupError {
        TLSSetupError("OpenSSL cannot \(attempt): \(OpenSSLErrors.take() ?? "an error")")
    }
}
