import Support
import Testing

@testable import weir

@Suite("The variables that lead programs to the CA")
struct TrustVariablesTests {
    private static let roots = Array("-----BEGIN CERTIFICATE-----\nroots\n".utf8)
    private static let authority = Array("-----BEGIN CERTIFICATE-----\nCA\n".utf8)

    /// Returns the certificates that each variable names, for the user's own variables.
    private func bundles(_ own: [String: String]) -> [String: String] {
        let trust = UserTrust { own[$0] }
        var found: [String: String] = [:]
        let variables = trust.variables(adding: Self.authority, to: Self.roots) { String(decoding: $0, as: UTF8.self) }
        for (name, text) in variables {
            found[name] = text.replacing("-----BEGIN CERTIFICATE-----\n", with: "").replacing("\n", with: " ")
        }
        return found
    }

    @Test("Without variables of the user they name the system's certificates and the CA's; Node's adds to its own")
    func none() {
        let found = bundles([:])
        #expect(found["SSL_CERT_FILE"] == "roots CA " && found["CURL_CA_BUNDLE"] == "roots CA ")
        #expect(found["NODE_EXTRA_CA_CERTS"] == "CA ")
        #expect(found["PGSSLROOTCERT"] == nil)
        #expect(found.count == TrustVariable.all.count - 1)
    }

    @Test("A variable of the user's keeps its certificates, and stands in for others as programs take it")
    func own() throws {
        let folder = try TemporaryFolder()
        // Without an end of line.
        let one = try folder.file("one", Array("-----BEGIN CERTIFICATE-----\none".utf8))
        let two = try folder.file("two", Array("# two\n-----BEGIN CERTIFICATE-----\ntwo\n".utf8))
        let found = bundles(["SSL_CERT_FILE": one, "REQUESTS_CA_BUNDLE": two, "PGSSLROOTCERT": one, "PIP_CERT": ""])
        #expect(found["SSL_CERT_FILE"] == "one CA " && found["CURL_CA_BUNDLE"] == "one CA ")
        #expect(found["REQUESTS_CA_BUNDLE"] == "# two two CA " && found["AWS_CA_BUNDLE"] == "# two two CA ")
        #expect(found["PIP_CERT"] == "# two two CA " && found["PGSSLROOTCERT"] == "one CA ")
        #expect(found["GIT_SSL_CAINFO"] == "roots CA ")
        let trust = UserTrust { ["SSL_CERT_FILE": one, "PGSSLROOTCERT": one][$0] }
        #expect(trust.paths == [one] && trust.others.isEmpty)
    }

    @Test(
        "What is no file of certificates stays as it is, and is told",
        arguments: ["/", "/no/such/file", "/dev/null"]
    )
    func others(path: String) {
        let own = ["REQUESTS_CA_BUNDLE": path]
        #expect(bundles(own)["REQUESTS_CA_BUNDLE"] == nil && bundles(own)["AWS_CA_BUNDLE"] == "roots CA ")
        #expect(UserTrust { own[$0] }.others == ["REQUESTS_CA_BUNDLE"])
        let line = RunTLSOptions.line(of: ["A", "B"], ["C"])
        #expect(line.hasPrefix("TLS is decrypted; 2 variables lead programs to the CA; C left as set: no file of "))
    }
}
