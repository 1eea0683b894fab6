export default function NotFound() {
  return (
    <main className="card narrow">
      <h1>Page not found</h1>
      <p>
        <a href="/">Go to your todos</a>
      </p>
    </main>
  );
}
