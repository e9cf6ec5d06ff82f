import ArgumentParser
import Glibc
import WeirRelay
#if TLS
import WeirTLS
#endif

/// The options of `weir run` for TLS.
struct RunTLSOptions: ParsableArguments {
    @Flag(help: "Decrypt the TLS of the program's connections, and lead the program to Weir's CA by variables.")
    var tls = false

    @OptionGroup var options: TLSOptions

    func validate() throws {
        if !tls, options.isAnyGiven { throw ValidationError("the options --tls-... need --tls.") }
    }

    /// Lets a relay decrypt what a program's connections carry, if that is asked for.
    ///
    /// - Parameters:
    ///   - configuration: the relay's configuration.
    ///   - settings: the settings of the program's watcher, whose environment leads to the CA afterwards.
    /// - Returns: the lines that the user should read.
    /// - Throws: `Failure`: 64 if this program is built without TLS, or a setting is wrong; 73 if a file cannot be made.
    func apply(
        to configuration: inout RelayConfiguration,
        _ settings: inout WatchSettings
    ) throws(Failure) -> [String] {
        guard tls else { return [] }
        #if TLS
        let own = UserTrust { getenv($0).map { String(cString: $0) } }
        try options.apply(to: &configuration, isNeeded: true, alsoTrusting: own.paths)
        guard let services = configuration.tls else { return [] }
        let roots = SystemRoots.read()
        let variables = try variables(own, roots ?? [], services.certificatePath)
        settings.security = RouteSecurity(client: .automatic, server: .automatic)
        settings.environment += variables.map { "\($0.name)=\($0.path)" }
        var lines = [Self.line(of: variables.map(\.name), own.others)]
        if roots == nil, options.servers.tlsUpstreamCa == nil, !options.servers.tlsInsecureUpstream {
            lines.append("this system has no certificates to verify servers by: --tls-upstream-ca FILE names some")
        }
        return lines
        #else
        throw Failure(.usage, "--tls needs TLS, without which this program was built (trait TLS)")
        #endif
    }

    #if TLS
    /// Makes the files that the command's variables name.
    private func variables(
        _ own: UserTrust,
        _ roots: [UInt8],
        _ authority: String
    ) throws(Failure) -> [(name: String, path: String)] {
        let certificate = try SmallFile.read(authority)
        let store = AuthorityStore(folder: String(authority.dropLast("/ca.pem".count)))
        return try own.variables(adding: certificate, to: roots) { bytes throws(Failure) in
            do throws(TLSSetupError) {
                return try store.bundle(bytes, at: CAText.now)
            } catch {
                throw Failure(.cannotCreate, "\(error); give another folder for the CA with --tls-ca")
            }
        }
    }

    /// Returns the line that says which programs trust the CA.
    ///
    /// - Parameters:
    ///   - variables: the names of the variables that lead to the CA.
    ///   - others: the names of those that the user has set to something else than a file.
    /// - Returns: the line.
    static func line(of variables: [String], _ others: [String]) -> String {
        let left = others.isEmpty ? "" : "; \(others.joined(separator: ", ")) left as set: no file of certificates"
        return """
            TLS is decrypted; \(variables.count) variables lead programs to the CA\(left). Not reached: wget, Java, browsers, \
            programs that pin. See docs/run.md, weir ca trust, --tls-except
            """
    }
    #endif
}
