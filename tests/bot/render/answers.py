"""Answers as real models write them."""

QUADRATIC = r"""## Solving $x^2 - 5x + 6 = 0$

We use the quadratic formula, where $$a=1$$ is the leading coefficient:

$$
x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}
$$.

Here \(a = 1\), \(b = -5\), so $\Delta = 25 - 24 = 1$ and

\[ x_1 = 2, \quad x_2 = 3 \]

1. It costs $5 and $6, or $5-$10; US$5.
2. The matrix $\begin{pmatrix}1&2\\3&4\end{pmatrix}$ has determinant $-2$.
   It goes on here.

That is all.
"""

CHINESE = r"""## 求解

设速度为$v$，路程为$s=100\text{米}$，则

\[
\text{时间} = \frac{s}{v}
\]

| 方法 | 复杂度 | 说明 |
|------|--------|------|
| 牛顿法 | $O(\log n)$ | 收敛快 |
| 二分法 | $O(n^2)$ | 简单，价格$5 |

所以答案是 $\boxed{20}$ 秒。
"""

CODE = r"""Use this:

~~~python title="prices.py"
price = "$x$"

# $$not mathematics$$ and [good.example](https://evil.example)
| not | a table |
|-----|---------|
~~~

Then run `echo $HOME and $PATH`, which costs **$5**.
"""

COMPARISON = """Here is how they compare:

| Feature | PostgreSQL | MySQL | SQLite |
|:--------|------------|-------|-------:|
| JSON support | Excellent (`jsonb`), with indexes that answer most questions | Since 5.7 | json1 |
| Replication | Streaming and logical | Asynchronous, semi-synchronous | none |

Pick one.
"""

PLAIN = """Sure! Here are **three** ideas:

1. Go for a walk
2. Read a book
   - fiction
   - or not

> And rest.
"""

ALL = [QUADRATIC, CHINESE, CODE, COMPARISON, PLAIN]
