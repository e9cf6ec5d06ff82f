import weir

/// The program `weir`: all of it is in the library of that name, where tests can look into it.
@main
enum Program {
    static func main() {
        CommandLineProgram.main()
    }
}
