#if TLS
import ArgumentParser
import Glibc
import WeirEngine
import WeirTLS
import WeirWire

/// The command `weir ca`: the authority that signs the certificates which clients of intercepted TLS see.
struct CACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "Show, make or remove the CA that signs certificates for intercepted TLS.",
        discussion: """
            To read TLS, Weir answers clients with certificates of a CA of this user, which they must trust. Its key stays \
            in the user's own folder ($XDG_DATA_HOME/weir/tls, or ~/.local/share/weir/tls). Whoever has the key can read the \
            TLS of every program that trusts the CA:

              weir ca make --only test,localhost    restricts what it can sign
              weir ca trust                         prints how each tool comes to trust it
            """,
        subcommands: [
            CAShowCommand.self, CAPathCommand.self, CATrustCommand.self, CABundleCommand.self, CAMakeCommand.self,
            CARemoveCommand.self,
        ],
        defaultSubcommand: CAShowCommand.self
    )
}

/// The option for the folder of the authority.
struct CAOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The folder of the CA (default: weir/tls in the user's data folder).", valueName: "folder"),
        completion: .directory
    )
    var tlsCa: String?

    /// Returns a command of `weir ca` for the same folder.
    func command(_ name: String) -> String { "weir ca \(name)" + (tlsCa.map { " --tls-ca \($0)" } ?? "") }

    /// Returns the place of the authority.
    ///
    /// - Throws: `Failure` with 64 if no folder is known.
    func store() throws(Failure) -> AuthorityStore {
        if let tlsCa {
            guard !tlsCa.isEmpty else { throw Failure(.usage, "--tls-ca needs a folder") }
            return AuthorityStore(folder: tlsCa)
        }
        do throws(TLSSetupError) {
            return try AuthorityStore { getenv($0).map { String(cString: $0) } }
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    /// Reads the authority.
    ///
    /// - Throws: `Failure` with 66 if there is none, 65 if it is damaged.
    func load() throws(Failure) -> (AuthorityStore, Authority) {
        let store = try store()
        let found: Authority?
        do throws(TLSSetupError) {
            found = try store.load()
        } catch {
            throw Failure(.dataError, error.description)
        }
        guard let found else {
            throw Failure(.noInput, "there is no CA in '\(store.folder)' yet; make one with: weir ca make")
        }
        return (store, found)
    }
}

/// The command `weir ca show`.
struct CAShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the CA. (default)")

    @OptionGroup var options: CAOptions

    func run() throws {
        let (store, authority) = try options.load()
        print(CAText.render(authority, in: store, now: CAText.now), terminator: "")
    }
}

/// The command `weir ca path`.
struct CAPathCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path",
        abstract: "Print the path of the CA's certificate, for scripts."
    )

    @OptionGroup var options: CAOptions

    func run() throws { print(try options.load().0.certificatePath) }
}

/// The command `weir ca bundle`.
struct CABundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Print the system's certificates and the CA's, for variables that replace the system's.",
        discussion: """
            Variables such as SSL_CERT_FILE replace the system's certificates: with the CA alone a program would trust \
            nothing else.

              weir ca bundle > bundle.pem
              SSL_CERT_FILE=$PWD/bundle.pem python3 client.py
            """
    )

    @OptionGroup var options: CAOptions

    func run() throws {
        let (_, authority) = try options.load()
        guard let roots = SystemRoots.read() else {
            let places = SystemRoots.paths.joined(separator: ", ")
            throw Failure(.noInput, "the system's certificates are at none of these places: \(places)")
        }
        print(String(decoding: roots, as: UTF8.self), terminator: roots.last == UInt8(ascii: "\n") ? "" : "\n")
        print(String(decoding: authority.certificate.certificate.pem, as: UTF8.self), terminator: "")
    }
}

/// The command `weir ca make`.
struct CAMakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make",
        abstract: "Make the CA; the first relay that intercepts TLS does it, too.",
        discussion: """
            With --only the CA can sign nothing but certificates for these names and addresses: then it is no danger for \
            others, even where it is trusted system-wide. A name includes the names below it.

              weir ca make --only test,localhost,127.0.0.0/8
            """
    )

    @OptionGroup var options: CAOptions

    @Option(
        help: ArgumentHelp(
            "Sign only certificates for these names and addresses. May be repeated.",
            valueName: "name,..."
        )
    )
    var only: [String] = []

    func run() throws {
        let store = try options.store()
        let names = try CAMakeCommand.constraints(only)
        do {
            let authority = try Authority(on: CAText.host, onlyFor: names, at: CAText.now)
            guard try store.save(authority) else {
                throw Failure(
                    .cannotCreate,
                    "there is a CA in '\(store.folder)' already, which programs may trust; remove it with: "
                        + options.command("remove")
                )
            }
            print(CAText.render(authority, in: store, now: CAText.now), terminator: "")
        } catch let error as TLSSetupError {
            throw Failure(.cannotCreate, error.description)
        }
    }

    /// Reads the names of `--only`.
    ///
    /// - Throws: `Failure` with 64 if one is neither a name nor a range of addresses.
    static func constraints(_ texts: [String]) throws(Failure) -> [NameConstraint] {
        var found: [NameConstraint] = []
        for text in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            guard let constraint = NameConstraint(text) else {
                let forms = "a name such as test or example.com, an address, or a range such as 10.0.0.0/8"
                throw Failure(.usage, "--only: '\(text)' is not \(forms)")
            }
            found.append(constraint)
        }
        return found
    }
}

/// The command `weir ca remove`.
struct CARemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove the CA and its key; what trusts it must forget it, too."
    )

    @OptionGroup var options: CAOptions

    func run() throws {
        let store = try options.store()
        do {
            guard try store.remove() else { throw Failure(.noInput, "there is no CA in '\(store.folder)'") }
            print("removed the CA in \(store.folder)")
        } catch let error as TLSSetupError {
            throw Failure(.inputOutput, error.description)
        }
    }
}
#endif
